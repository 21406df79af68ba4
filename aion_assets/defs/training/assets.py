"""What is learned from, and what is learned from it."""

from collections.abc import Iterator

import dagster as dg

from aion_assets.core.errors import AionError
from aion_assets.core.lake.code_version import source_version
from aion_assets.core.learn.click_evidence import recorded_evidence
from aion_assets.core.learn.pairs import build_pairs, leaked_pairs
from aion_assets.core.learn.sft_rows import build_sft_rows
from aion_assets.core.learn.trainings import CALIBRATION, FAILED, GENERATOR, RANKER, RETRIEVER_ADAPTER, end_training
from aion_assets.core.steps.claims import Finding
from aion_assets.core.steps.training import begin_training, finish_training
from aion_assets.defs.claims import claim
from aion_assets.defs.knowledge_base import KnowledgeBaseResource
from aion_assets.defs.reporting import OWNERS, Materialized
from aion_assets.defs.serving.interactions import interactions
from aion_assets.defs.training.process import run_trainer

TRAIN_POOL = "train"


@dg.asset(
    key=["training", "pair_dataset"],
    deps=[interactions],
    group_name="training",
    kinds={"sql"},
    owners=OWNERS,
    code_version=source_version("aion_assets.core.learn.pairs"),
)
def pair_dataset(knowledge_base: KnowledgeBaseResource) -> Materialized:
    """Questions with a document that somebody found right: by clicks, citations and golden queries of the train split.

    Every row names where it comes from. Every row that is left out counts under its reason.
    """
    dataset = build_pairs(knowledge_base.home)
    rows = "\n".join(f"| {name} | {count} |" for name, count in sorted(dataset.left_out.items()))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(dataset.pairs),
            **{f"origin/{name}": count for name, count in sorted(dataset.counts().items())},
            "left_out": sum(dataset.left_out.values()),
            "reasons": dg.MetadataValue.md(f"| reason | rows |\n|---|---|\n{rows}" if rows else "none"),
        },
        data_version=dg.DataVersion(dataset.digest),
    )


@dg.asset_check(asset=pair_dataset, blocking=True)
def no_golden_document_is_learned(knowledge_base: KnowledgeBaseResource) -> dg.AssetCheckResult:
    """No pair has a document or a text of a golden question that measures."""
    leaked = leaked_pairs(knowledge_base.home)
    says = (
        f"{len(leaked)} pairs have a golden document or text." if leaked else "No pair has a golden document or text."
    )
    return claim(Finding(not leaked, says, {"leaked": len(leaked)}))


@dg.asset_check(asset=pair_dataset)
def clicks_follow_the_texts(knowledge_base: KnowledgeBaseResource) -> dg.AssetCheckResult:
    """What people clicked depends on what the sources say, not only on where they stood."""
    found = recorded_evidence(knowledge_base.home)
    return claim(Finding(not found.doubt, found.says, found.to_json()))


@dg.asset(
    key=["training", "ranker"],
    deps=[pair_dataset],
    group_name="training",
    kinds={"python"},
    owners=OWNERS,
    pool=TRAIN_POOL,
    output_required=False,
    code_version=source_version("trainer.ranker", "aion_assets.core.learn.ranking"),
)
def ranker(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Iterator[Materialized]:
    """Weights of the order of candidates, learned in a process of its own. Without a gain nothing is materialized."""
    yield from _trained(context, knowledge_base, RANKER)


@dg.asset(
    key=["training", "calibration"],
    deps=[interactions],
    group_name="training",
    kinds={"python"},
    owners=OWNERS,
    pool=TRAIN_POOL,
    output_required=False,
    code_version=source_version(
        "trainer.calibration", "aion_assets.core.learn.recalibration", "aion_assets.core.learn.judged"
    ),
)
def calibration(context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource) -> Iterator[Materialized]:
    """The confidence, fitted anew on golden questions and judged answers. Without a gain nothing is materialized."""
    yield from _trained(context, knowledge_base, CALIBRATION)


@dg.asset(
    key=["training", "retriever_adapter"],
    deps=[pair_dataset],
    group_name="training",
    kinds={"python"},
    owners=OWNERS,
    pool=TRAIN_POOL,
    output_required=False,
    code_version=source_version(
        "trainer.contrastive",
        "trainer.encoder",
        "trainer.retriever_adapter",
        "aion_assets.core.learn.contrastive_rows",
        "aion_assets.core.learn.scales",
    ),
)
def retriever_adapter(
    context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource
) -> Iterator[Materialized]:
    """A LoRA adapter of the embedding model, merged into a model that is like any other. Without a gain nothing is
    materialized.
    """
    yield from _trained(context, knowledge_base, RETRIEVER_ADAPTER)


def _trained(context: dg.AssetExecutionContext, kb: KnowledgeBaseResource, learner: str) -> Iterator[Materialized]:
    home, run_id = kb.home, context.run.run_id
    task = begin_training(home, learner, run_id)
    result = run_trainer(context, home, task)
    try:
        candidate = finish_training(home, task, result, run_id)
    except AionError as error:
        end_training(home, task.training.training_id, FAILED, says=str(error))
        raise
    if candidate:
        facts = {"training_id": task.training.training_id, "candidate": candidate, **result["figures"]}
        yield dg.MaterializeResult(metadata=facts, data_version=dg.DataVersion(candidate))


@dg.asset(
    key=["training", "sft_dataset"],
    deps=[interactions],
    group_name="training",
    kinds={"lance"},
    owners=OWNERS,
    code_version=source_version("aion_assets.core.learn.sft_rows", "aion_assets.core.learn.pii"),
)
def sft_dataset(knowledge_base: KnowledgeBaseResource) -> Materialized:
    """Prompts with the answers that people were given and did not find bad, split by the document they rest on.

    Every row names its answer, documents and passages. Every answer that is left out counts under its reason; personal
    data is such a reason.
    """
    dataset = build_sft_rows(knowledge_base.home)
    rows = "\n".join(f"| {name} | {count} |" for name, count in sorted(dataset.left_out.items()))
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(dataset.rows),
            **{f"split/{name}": count for name, count in sorted(dataset.counts().items())},
            "left_out": sum(dataset.left_out.values()),
            "reasons": dg.MetadataValue.md(f"| reason | answers |\n|---|---|\n{rows}" if rows else "none"),
        },
        data_version=dg.DataVersion(dataset.digest),
    )


@dg.asset(
    key=["training", "generator_adapter"],
    deps=[sft_dataset],
    group_name="training",
    kinds={"python"},
    owners=OWNERS,
    pool=TRAIN_POOL,
    output_required=False,
    code_version=source_version("trainer.sft", "trainer.generator_training"),
)
def generator_adapter(
    context: dg.AssetExecutionContext, knowledge_base: KnowledgeBaseResource
) -> Iterator[Materialized]:
    """A LoRA adapter of the base model, trained in a process of its own and named by its digest."""
    yield from _trained(context, knowledge_base, GENERATOR)
