"""What AION promises of speed and quality, measured."""

import aion_assets  # noqa: F401 - what it says to numpy and torch must come before them
