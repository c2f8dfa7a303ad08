"""`nertool.spark`: tagging on Apache Spark, under a short name."""

from nertool.integrations.spark import tag

__all__ = ["tag"]
