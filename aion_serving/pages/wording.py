"""The words of the pages in Portuguese and English, and the choice between the two."""

from collections.abc import Mapping

LANGUAGES = ("pt", "en")
DEFAULT = "pt"

_PT = {
    "html_lang": "pt-BR",
    "other_name": "English",
    "other_code": "en",
    "tagline": "Respostas com fontes, dos documentos da sua organização",
    "api": "API",
    "chat": "Perguntar",
    "skip": "Ir para a pergunta",
    "welcome": "O que você quer saber?",
    "welcome_text": "AION responde com frases dos documentos aprovados e mostra de onde cada uma veio. "
    "Quando a base não contém a resposta, ele diz isso.",
    "placeholder": "Escreva uma pergunta completa…",
    "question_label": "Sua pergunta",
    "send": "Perguntar",
    "hint": "Enter envia · Shift+Enter quebra a linha",
    "conversation": "Conversa",
    "searching": "Procurando nos documentos…",
    "sources": "Fontes",
    "nearest": "Trechos mais próximos",
    "not_found_badge": "Não está na base",
    "confidence": "Confiança",
    "threshold": "limite para responder",
    "page": "página",
    "open": "Abrir a fonte",
    "more": "Ver o trecho inteiro",
    "less": "Ver menos",
    "copy": "Copiar",
    "copied": "Copiado",
    "suggestions": "Talvez você também queira saber",
    "feedback": "O que você achou desta resposta?",
    "thumb_up": "Ajudou",
    "thumb_down": "Não ajudou",
    "correction": "Como deveria ser a resposta?",
    "send_correction": "Enviar correção",
    "thanks": "Obrigado! O AION aprende com isso.",
    "undo": "Desfazer",
    "taken_back": "Desfeito.",
    "why": "De onde veio?",
    "why_loading": "Seguindo o caminho de volta…",
    "collected": "Coletado",
    "parsed": "Lido por",
    "decided": "Decisão",
    "release": "Release",
    "runs": "Execuções",
    "version": "Versão citada",
    "unchanged": "é a atual",
    "changed": "o documento mudou depois",
    "approved": "aprovado por",
    "rejected": "rejeitado por",
    "pending": "pendente",
    "run_fetch": "coleta",
    "run_parse": "leitura",
    "run_curate": "curadoria",
    "run_chunk": "corte",
    "passages_total": "trechos no índice",
    "gone": "não existe mais",
    "error_title": "Não foi possível responder",
    "offline": "O servidor não respondeu. Verifique se o AION está em execução.",
    "retry": "Tentar de novo",
    "empty_title": "A base de conhecimento ainda está vazia",
    "empty_text": "Adicione uma fonte, aprove o que foi coletado e deixe o AION indexar. A página avisa ao responder.",
    "empty_steps_add": "adicione um site ou uma pasta",
    "empty_steps_run": "colete e leia agora",
    "empty_steps_approve": "aprove tudo, ou escolha com aion curate list",
    "empty_steps_index": "indexe o que foi aprovado",
    "now_ready": "A base está pronta. Faça a sua pergunta.",
    "noscript": "A conversa precisa de JavaScript. Sem ele, use aion ask no terminal ou POST /api/chat.",
    "reference_title": "API HTTP",
    "reference_text": "Cada chamada, o que ela recebe e o que devolve. A descrição para gerar clientes está em",
    "parameters": "Parâmetros",
    "body": "Corpo",
    "answers": "Respostas",
    "required": "obrigatório",
    "try": "Experimentar",
    "run": "Enviar",
    "field": "Campo",
    "type": "Tipo",
    "meaning": "Significado",
}
_EN = {
    "html_lang": "en",
    "other_name": "Português",
    "other_code": "pt",
    "tagline": "Answers with sources, from your organisation's documents",
    "api": "API",
    "chat": "Ask",
    "skip": "Skip to the question",
    "welcome": "What would you like to know?",
    "welcome_text": "AION answers with sentences of approved documents and shows where each one came from. "
    "When the base does not hold the answer, it says so.",
    "placeholder": "Write a whole question…",
    "question_label": "Your question",
    "send": "Ask",
    "hint": "Enter sends · Shift+Enter starts a new line",
    "conversation": "Conversation",
    "searching": "Searching the documents…",
    "sources": "Sources",
    "nearest": "Nearest passages",
    "not_found_badge": "Not in the base",
    "confidence": "Confidence",
    "threshold": "threshold to answer",
    "page": "page",
    "open": "Open the source",
    "more": "Show the whole passage",
    "less": "Show less",
    "copy": "Copy",
    "copied": "Copied",
    "suggestions": "You may also want to know",
    "feedback": "What was this answer worth?",
    "thumb_up": "Helpful",
    "thumb_down": "Not helpful",
    "correction": "What should the answer have been?",
    "send_correction": "Send correction",
    "thanks": "Thank you! AION learns from it.",
    "undo": "Undo",
    "taken_back": "Taken back.",
    "why": "Where is it from?",
    "why_loading": "Following the way back…",
    "collected": "Collected",
    "parsed": "Read by",
    "decided": "Decision",
    "release": "Release",
    "runs": "Runs",
    "version": "Version quoted",
    "unchanged": "is the current one",
    "changed": "the document changed since",
    "approved": "approved by",
    "rejected": "rejected by",
    "pending": "pending",
    "run_fetch": "fetch",
    "run_parse": "parse",
    "run_curate": "curate",
    "run_chunk": "chunk",
    "passages_total": "passages in the index",
    "gone": "is there no more",
    "error_title": "This could not be answered",
    "offline": "The server did not answer. Check that AION is running.",
    "retry": "Try again",
    "empty_title": "The knowledge base is still empty",
    "empty_text": "Add a source, approve what AION collected and let it index. This page says when there are answers.",
    "empty_steps_add": "add a web site or a folder",
    "empty_steps_run": "collect and read now",
    "empty_steps_approve": "approve everything, or choose with aion curate list",
    "empty_steps_index": "index what was approved",
    "now_ready": "The base is ready. Ask your question.",
    "noscript": "The conversation needs JavaScript. Without it, use aion ask in a terminal, or POST /api/chat.",
    "reference_title": "HTTP API",
    "reference_text": "Every call, what it takes and what it returns. The description to generate clients from is",
    "parameters": "Parameters",
    "body": "Body",
    "answers": "Responses",
    "required": "required",
    "try": "Try it",
    "run": "Send",
    "field": "Field",
    "type": "Type",
    "meaning": "Meaning",
}
WORDING: Mapping[str, Mapping[str, str]] = {"pt": _PT, "en": _EN}


def choose_language(chosen: str, accept_language: str) -> str:
    """The reader's choice, else the one that the browser's Accept-Language prefers, else Portuguese."""
    if chosen in LANGUAGES:
        return chosen
    best, best_weight = DEFAULT, 0.0
    for entry in accept_language.split(","):
        tag, _, parameter = entry.partition(";")
        language = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
