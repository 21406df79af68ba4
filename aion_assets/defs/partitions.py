"""Each source is a partition: the unit that is added, scheduled, backfilled and removed."""

import dagster as dg

source_partitions = dg.DynamicPartitionsDefinition(name="sources")
