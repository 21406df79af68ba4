// The conversation. Everything that comes from documents is set as text, never as markup.

const t = JSON.parse(document.getElementById("wording").textContent);
const locale = document.documentElement.lang;
const conversation = document.getElementById("conversation");
const composer = document.getElementById("composer");
const question = document.getElementById("question");
const sendButton = composer.querySelector("button");
const READY_EVERY_MS = 4000;
const SHOWN_CHARS = 240; // about what the card shows of a passage on a narrow screen
const SURE = 0.8; // from here on at least eight of ten answers are right
const LEAD_CHARS = 70; // of the sentence before a quote: the quote itself stays in sight

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null && child !== ""));
  return node;
}

async function fetchJson(path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error(t.offline);
  }
  const body = await response.json().catch(() => ({ error: `${response.status} ${response.statusText}` }));
  if (!response.ok) throw new Error([body.error, body.next_step].filter(Boolean).join(" "));
  return body;
}

function send(method, path, body) {
  const options = { method, headers: { "content-type": "application/json" } };
  return fetchJson(path, body ? { ...options, body: JSON.stringify(body) } : options);
}

// Never in the way of the reader: a click that cannot be told is lost.
function tellClick(answerId, number) {
  fetch(`/api/answers/${answerId}/clicks`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ number }), keepalive: true,
  }).catch(() => {});
}

// A link out of a document: only web addresses and our own paths are ever followed.
function safeLink(link) {
  return /^https?:\/\//i.test(link) || (link.startsWith("/") && !link.startsWith("//")) ? link : null;
}

function hostOf(citation) {
  try {
    const url = new URL(citation.url);
    return url.protocol === "file:" ? decodeURIComponent(url.pathname.split("/").pop()) : url.host;
  } catch {
    return citation.url;
  }
}

function placeOf(citation) {
  const heading = citation.heading.split(" > ").filter((part) => part && part !== citation.title).join(" › ");
  const page = citation.page ? `${t.page} ${citation.page}` : "";
  return [heading, page].filter(Boolean).join(" · ");
}

// The passage from shortly before its quoted sentence on. White space in a quote is folded, so it is sought word by
// word.
function passageView(citation, marked) {
  const words = citation.quote.replace(/^…|…$/g, "").split(/\s+/).filter(Boolean);
  const part = (word) => (word === "…" ? "[^]*?" : word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")); // "…": rows left out
  const pattern = words.map(part).join("\\s+");
  const found = pattern ? new RegExp(pattern).exec(citation.passage) : null;
  const mark = (text) => (marked ? element("mark", {}, text) : text);
  if (!found) return element("p", { class: "passage" }, mark(citation.quote));
  const paragraph = citation.passage.slice(0, found.index).split(/\n\s*\n/).pop();
  const lead = paragraph.length > LEAD_CHARS
    ? `…${paragraph.slice(paragraph.indexOf(" ", paragraph.length - LEAD_CHARS))}`
    : paragraph;
  const rest = citation.passage.slice(found.index + found[0].length);
  return element("p", { class: "passage" }, lead, mark(found[0]), rest);
}

// Never opens by itself: what moves while somebody clicks makes the click miss.
function passageParts(citation, marked) {
  const passage = passageView(citation, marked);
  if (passage.textContent.length <= SHOWN_CHARS) return [passage];
  const button = element("button", { type: "button", class: "quiet", "aria-expanded": "false", onclick: toggle }, t.more);
  function toggle() {
    const whole = passage.classList.toggle("whole");
    button.setAttribute("aria-expanded", String(whole));
    button.textContent = whole ? t.less : t.more;
  }
  return [passage, button];
}

function card(citation, answerId, numbered) {
  const link = safeLink(citation.link);
  const title = citation.title || hostOf(citation);
  const name = link
    ? element("a", {
      href: link, target: "_blank", rel: "noopener noreferrer", title: t.open,
      onclick: () => tellClick(answerId, citation.number),
    }, title)
    : title;
  return element("li", { class: "card", id: `${answerId}-${citation.number}`, tabindex: "-1" },
    element("div", { class: "card-head" },
      numbered ? element("span", { class: "badge" }, String(citation.number)) : null,
      element("div", { class: "card-title" },
        element("strong", {}, name),
        element("span", { class: "place" }, [placeOf(citation), hostOf(citation)].filter(Boolean).join(" · "))),
    ),
    ...passageParts(citation, numbered));
}

// Turns the [1] after a quote, or after a sentence of a model, into a button that shows its source. One inside a quote is
// the passage's own; in the text of a model there is none but the server's.
function withMarkers(line, answerId, numbers, quoted) {
  return line.split(quoted ? /(?<=” )(\[\d+\])/ : /(?<= )(\[\d+\])/).map((part) => {
    const number = Number(/^\[(\d+)\]$/.exec(part)?.[1]);
    if (!numbers.has(number)) return part;
    return element("button", {
      type: "button", class: "marker", "aria-label": `${t.sources} ${number}`,
      onclick: () => {
        tellClick(answerId, number);
        const target = document.getElementById(`${answerId}-${number}`);
        target.scrollIntoView({ block: "nearest", behavior: "smooth" });
        target.focus({ preventScroll: true });
      },
    }, String(number));
  });
}

function prose(answer) {
  const numbers = new Set(answer.citations.map((citation) => citation.number));
  const box = element("div", { class: "prose", lang: answer.language });
  const quoted = !["generative", "curated"].includes(answer.used);
  let list = null;
  for (const line of answer.text.split("\n")) {
    if (!line.trim()) continue;
    if (line.startsWith("- ")) {
      if (!list) box.append((list = element("ul")));
      list.append(element("li", {}, ...withMarkers(line.slice(2), answer.answer_id, numbers, quoted)));
    } else if (list && line.startsWith("  ")) {
      list.lastChild.append(element("br"), ...withMarkers(line.trim(), answer.answer_id, numbers, quoted));
    } else {
      list = null;
      box.append(element("p", {}, ...withMarkers(line, answer.answer_id, numbers, quoted)));
    }
  }
  return box;
}

function confidence(answer) {
  const percent = Math.round(100 * answer.C);
  const label = `${t.confidence} ${percent} % (${t.threshold}: ${Math.round(100 * answer.tau)} %)`;
  const fill = element("span", { class: "meter-fill" });
  fill.style.setProperty("inline-size", `${percent}%`);
  return element("span", { class: "confidence", title: label },
    element("span", { class: "meter", role: "img", "aria-label": label }, fill),
    element("span", { "aria-hidden": "true" }, `${t.confidence} ${percent} %`),
    answer.C >= answer.tau && answer.C < SURE ? element("span", { class: "muted" }, ` · ${t.check_source}`) : null);
}

function copyButton(answer) {
  const button = element("button", { type: "button", class: "quiet", onclick: copy }, t.copy);
  async function copy() {
    const listed = answer.citations.map((item) => `[${item.number}] ${item.title} – ${new URL(item.link, location)}`);
    await navigator.clipboard.writeText([answer.text, "", ...listed].join("\n"));
    button.textContent = t.copied;
    setTimeout(() => { button.textContent = t.copy; }, 1500);
  }
  return button;
}

function whyButton(answer) {
  const panel = element("div", { class: "why", id: `why-${answer.answer_id}`, hidden: true });
  const button = element("button", {
    type: "button", class: "quiet", "aria-expanded": "false", "aria-controls": panel.id, onclick: toggle,
  }, t.why);
  async function toggle() {
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
    if (panel.hidden || panel.dataset.loaded) return;
    panel.replaceChildren(element("p", { class: "muted" }, t.why_loading));
    try {
      panel.replaceChildren(...trail(await fetchJson(`/api/answers/${answer.answer_id}/why`)));
      panel.dataset.loaded = "yes";
    } catch (error) {
      panel.replaceChildren(element("p", {}, error.message));
    }
  }
  return [button, panel];
}

// In the organisation's zone, whatever that of the reader is.
const moment = new Intl.DateTimeFormat(locale, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit",
  timeZone: document.documentElement.dataset.zone, timeZoneName: "short",
});

function when(iso) {
  return iso ? moment.format(new Date(iso)) : "";
}

function fact(name, ...value) {
  return element("div", {}, element("dt", {}, name), element("dd", {}, ...value));
}

function trail(why) {
  const release = why.release;
  const index = release.index ? ` · ${release.index.rows} ${t.passages_total}` : ` · ${t.gone}`;
  const head = element("dl", {}, fact(t.release, element("code", {}, release.release_id.slice(0, 12)), index));
  return [head, ...why.passages.map((passage) => {
    const { document: doc, decision, fetch: page, correction } = passage;
    if (correction) {
      return element("section", {},
        element("h4", {}, `${passage.number}. ${passage.title}`),
        element("dl", {}, fact(t.decided, [correction.state === "expired" ? t.correction_expired_state : t[`correction_${correction.state}`], correction.decided_by,
          when(correction.decided_at)].filter(Boolean).join(" · "))));
    }
    const runs = Object.entries(passage.runs).filter(([, run]) => run).flatMap(([step, run]) =>
      [element("a", { href: safeLink(run.link), target: "_blank", rel: "noopener noreferrer" }, t[`run_${step}`]), " "]);
    const state = decision.hidden || decision.missing ? t.gone : [t[decision.state], decision.decided_by].join(" ");
    return element("section", {},
      element("h4", {}, `${passage.number}. ${passage.title}`),
      element("dl", {},
        fact(t.collected, page.missing ? t.gone : [when(page.fetched_at), page.url].join(" · ")),
        fact(t.parsed, doc.missing ? t.gone : doc.parser),
        fact(t.version, element("code", {}, doc.version_quoted.slice(0, 12)), " ",
          doc.missing ? t.gone : doc.unchanged ? t.unchanged : t.changed),
        fact(t.decided, [state, when(decision.decided_at)].filter(Boolean).join(" · ")),
        runs.length ? fact(t.runs, ...runs) : null));
  })];
}

function answerView(answer) {
  const abstained = answer.used === "abstention";
  const shown = abstained ? answer.nearest : answer.citations;
  const text = abstained ? prose({ ...answer, text: answer.text.split("\n")[0] }) : prose(answer);
  const [why, panel] = whyButton(answer);
  return element("article", { class: abstained ? "answer abstained" : "answer" },
    abstained ? element("p", { class: "status" }, t.not_found_badge) : null,
    answer.used === "curated" ? element("p", { class: "status curated" }, t.curated_badge) : null,
    answer.expired_correction
      ? element("p", { class: "notice", role: "note" }, t.correction_expired, " ", t[`expired_${answer.expired_correction}`])
      : null,
    text,
    shown.length
      ? element("h3", { class: abstained ? "visually-hidden" : false }, abstained ? t.nearest : t.sources)
      : null,
    shown.length ? element("ol", { class: "cards" }, ...shown.map((item) => card(item, answer.answer_id, !abstained))) : null,
    answer.state === "cancelled" ? element("p", { class: "muted" }, t.stopped) : null,
    answer.reason ? element("p", { class: "muted" }, t.model_failed) : null,
    answer.notice ? element("p", { class: "muted" }, t.older_release) : null,
    element("footer", {},
      answer.used === "curated" ? null : confidence(answer),
      answer.model ? element("span", { class: "muted" }, `${t.written_by} ${answer.model}`) : null,
      element("span", { class: "actions" }, copyButton(answer), why)),
    suggestionsView(answer),
    ...feedbackView(answer),
    panel);
}

// What the reader may want next. A question is asked at once; an action opens beside the chat.
function suggestionsView(answer) {
  if (!answer.suggestions.length) return null;
  const tell = (item) => fetch(`/api/suggestions/${item.suggestion_id}/click`, { method: "POST", keepalive: true })
    .catch(() => {});
  return element("ul", { class: "suggestions", "aria-label": t.suggestions }, ...answer.suggestions.map((item) => {
    const link = item.url.startsWith("mailto:") ? item.url : safeLink(item.url);
    return element("li", {}, item.kind === "action"
      ? element("a", {
        href: link, target: "_blank", rel: "noopener noreferrer", class: "suggestion", onclick: () => tell(item),
      }, item.text)
      : element("button", {
        type: "button", class: "suggestion",
        onclick: () => { if (!sendButton.disabled) { tell(item); ask(item.text); } },
      }, item.text));
  }));
}

// Whether it helped, and where it did not a box for what the answer should have been.
function feedbackView(answer) {
  const path = `/api/answers/${answer.answer_id}/feedback`;
  const status = element("span", { class: "muted", role: "status" });
  const thumb = (which, label) => element("button", {
    type: "button", class: "quiet thumb", "aria-pressed": "false",
    onclick: (event) => give({ thumb: which }, event.currentTarget),
  }, label);
  const up = thumb("up", t.thumb_up);
  const down = thumb("down", t.thumb_down);
  const undo = element("button", { type: "button", class: "quiet", hidden: true, onclick: takeBack }, t.undo);
  const words = element("textarea", { rows: "3", maxlength: "4000", "aria-label": t.correction, placeholder: t.correction });
  const box = element("form", { class: "correction", hidden: true }, words, element("button", { type: "submit" }, t.send_correction));
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    if (words.value.trim()) give({ correction: words.value }, null).then((kept) => { if (kept) box.hidden = true; });
  });
  async function give(said, pressed) {
    try {
      await send("POST", path, said);
    } catch (error) {
      status.textContent = error.message;
      return false;
    }
    if (pressed) for (const one of [up, down]) one.setAttribute("aria-pressed", String(one === pressed));
    if (pressed) box.hidden = pressed !== down;
    status.textContent = t.thanks;
    undo.hidden = false;
    return true;
  }
  async function takeBack() {
    try {
      await send("DELETE", path);
    } catch (error) {
      status.textContent = error.message;
      return;
    }
    for (const one of [up, down]) one.setAttribute("aria-pressed", "false");
    words.value = "";
    box.hidden = undo.hidden = true;
    status.textContent = t.taken_back;
  }
  return [element("div", { class: "feedback", role: "group", "aria-label": t.feedback }, up, down, status, undo), box];
}

// Not randomUUID, which browsers offer over https alone.
function freshId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// What is being written, kept over a reload: {requestId, message, answerId}.
const PENDING = "aion-pending";
const RETRIES = 5;
const conversationId = sessionStorage.getItem("aion-conversation") ?? freshId();
sessionStorage.setItem("aion-conversation", conversationId);

function remember(pending) {
  if (pending) sessionStorage.setItem(PENDING, JSON.stringify(pending));
  else sessionStorage.removeItem(PENDING);
}

function pendingAnswer() {
  try {
    return JSON.parse(sessionStorage.getItem(PENDING));
  } catch {
    return null;
  }
}

// Follows an answer to its end, over lost connections; `show` gets the text so far. Returns the whole answer.
async function followAnswer(pending, show) {
  let text = "";
  let seen = 0;
  for (let failures = 0; ; failures += 1) {
    try {
      const response = await (pending.answerId
        ? fetch(`/api/chat/stream/${pending.answerId}?after=${seen}`)
        : fetch("/api/chat/stream", {
          method: "POST", headers: { "content-type": "application/json" },
          body: JSON.stringify({ message: pending.message, request_id: pending.requestId, conversation_id: conversationId }),
        }));
      if (!response.ok) throw Object.assign(new Error(await saidBy(response)), { final: true });
      for await (const { id, kind, body } of eventsOf(response)) {
        failures = 0;
        seen = Number(id.split(":")[1]);
        if (kind === "start") remember(Object.assign(pending, { answerId: body.answer_id }));
        if (kind === "start" || kind === "text") show((text += body.text ?? ""));
        else if (kind === "answer") return body;
        else throw Object.assign(new Error([body.error, body.next_step].filter(Boolean).join(" ")), { final: true });
      }
    } catch (error) {
      if (error.final) throw error;
    }
    if (failures >= RETRIES) throw new Error(t.offline);
    await new Promise((resolve) => { setTimeout(resolve, 300 * 2 ** failures); });
  }
}

async function saidBy(response) {
  const body = await response.json().catch(() => ({ error: `${response.status} ${response.statusText}` }));
  return [body.error, body.next_step].filter(Boolean).join(" ");
}

async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    waiting += value;
    const blocks = waiting.split("\n\n");
    waiting = blocks.pop();
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
      if (fields.data) yield { id: fields.id, kind: fields.event, body: JSON.parse(fields.data) };
    }
  }
}

// What is there of an answer that is still being written. Its markers lead nowhere yet.
function writingView(text, answerId) {
  const lines = text.split("\n").filter((line) => line.trim());
  const stop = element("button", { type: "button", class: "quiet stop", onclick: () => {
    stop.disabled = true;
    fetch(`/api/chat/stream/${answerId}/stop`, { method: "POST" }).catch(() => { stop.disabled = false; });
  } }, t.stop);
  return element("article", { class: "answer writing", "aria-busy": "true" },
    element("div", { class: "prose" }, ...lines.map((line) => element("p", {}, line))),
    element("p", { class: "muted", role: "status" }, lines.length ? t.writing : t.searching, " ", stop));
}

function loadingView() {
  return element("div", { class: "answer loading", role: "status" },
    element("span", { class: "dots", "aria-hidden": "true" }, element("i"), element("i"), element("i")), t.searching);
}

function errorView(error, again) {
  return element("div", { class: "answer failed", role: "alert" },
    element("p", { class: "status" }, t.error_title),
    element("p", {}, error.message),
    element("button", { type: "button", onclick: again }, t.retry));
}

async function ask(message, pending = { requestId: freshId(), message }) {
  const place = element("li", { class: "from-aion" }, loadingView());
  conversation.append(element("li", { class: "from-user" }, element("p", {}, message)), place);
  await answerInto(place, pending);
}

async function answerInto(place, pending) {
  place.replaceChildren(loadingView());
  place.previousElementSibling.scrollIntoView({ block: "start", behavior: "smooth" });
  setBusy(true);
  remember(pending);
  try {
    const answer = await followAnswer(pending, (text) => place.replaceChildren(writingView(text, pending.answerId)));
    place.replaceChildren(answerView(answer));
  } catch (error) {
    const again = { requestId: freshId(), message: pending.message };
    place.replaceChildren(errorView(error, () => answerInto(place, again)));
  } finally {
    remember(null);
    setBusy(false);
    place.previousElementSibling.scrollIntoView({ block: "start", behavior: "smooth" });
  }
}

function setBusy(busy) {
  sendButton.disabled = busy;
  composer.setAttribute("aria-busy", String(busy));
  if (!busy) question.focus({ preventScroll: true });
}

function fitHeight() {
  question.style.setProperty("block-size", "auto");
  question.style.setProperty("block-size", `${Math.min(question.scrollHeight, 200)}px`);
}

async function waitForRelease() {
  try {
    await fetchJson("/ready");
  } catch {
    setTimeout(waitForRelease, READY_EVERY_MS);
    return;
  }
  document.getElementById("empty").hidden = true;
  document.getElementById("welcome").hidden = false;
  question.disabled = false;
  question.placeholder = t.now_ready;
  setBusy(false);
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const message = question.value.trim();
  if (!message || sendButton.disabled) return;
  document.getElementById("welcome").hidden = true;
  question.value = "";
  fitHeight();
  ask(message);
});
question.addEventListener("input", fitHeight);
question.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    composer.requestSubmit();
  }
});
if (question.disabled) waitForRelease();
const left = pendingAnswer();
if (left && !question.disabled) {
  document.getElementById("welcome").hidden = true;
  ask(left.message, left);
}
