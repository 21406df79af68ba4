"""Measure what AION promises of speed and quality."""

import aion_assets  # noqa: F401 - its environment variables must be set before numpy and torch are loaded
