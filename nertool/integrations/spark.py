"""Tag text on Apache Spark. Needs the extra `spark` (PySpark), and Java 17 or newer.

import nertool.spark

tagged = nertool.spark.tag(spark.read.parquet("in.parquet"), "runs/my", text_col="text")
tagged.write.parquet("out.parquet")
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nertool.api.tagger import PathLike, Tagger, Thresholds, details_of, load
from nertool.errors import NertoolError
from nertool.integrations.arrow import MOST_CHARACTERS, ColumnNames, RowTagger
from nertool.integrations.shipping import Shipped, digest_of, pack, tagger_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType, StructType


class RowSettings(NamedTuple):
    """The settings that every task tags rows with."""

    model: Shipped
    names: ColumnNames
    threshold: Thresholds
    language: str
    max_characters: int


def tag(
    frame: DataFrame,
    model: Tagger | PathLike,
    text_col: str = "text",
    *,
    entities_col: str = "entities",
    quarantine_col: str = "quarantine",
    threshold: Thresholds = 0.0,
    language: str = "en",
    max_characters: int = MOST_CHARACTERS,
    ship: bool = True,
) -> DataFrame:
    """Return a Spark DataFrame with two more columns: each row's entities, and the reason if it was not
    tagged.

    It is lazy, as usual in Spark: rows are tagged when they are written or collected. Row order within a
    partition and all other columns are kept. nertool must be installed where the executors run.

    - frame: any DataFrame.
    - model: a model's path, or a Tagger.
    - text_col: the column of texts; `a.b` is the field b of a struct a.
    - entities_col: the name of the new column, an array of struct<start: bigint, end: bigint, label: string,
      text: string, probability: double>. start and end count characters; end is exclusive.
    - quarantine_col: the name of the new column with the reason why a row could not be tagged, such as `null
      text`. Its entities are null then. No row fails the job.
    - threshold, language: as in a Tagger's call.
    - max_characters: longer texts are put in quarantine.
    - ship: send the model to each executor, once, as one file. False if its path is on storage that all
      executors see.

    Errors: NertoolError for columns that are missing or whose names are taken, and for types that Spark can't
    convert for Python; ModelError.
    """
    _pyspark()
    names = _names(frame, ColumnNames(text_col, entities_col, quarantine_col))
    details_of(threshold)
    schema = _schema(frame, names)
    shipped = ship_model(frame.sparkSession, model, ship)
    settings = RowSettings(shipped, names, threshold, language, max_characters)
    return frame.mapInArrow(partial(_tag_partition, settings), schema)


def _tag_partition(settings: RowSettings, batches: Iterable[Any]) -> Iterator[Any]:
    """Tag a partition's batches. Runs in an executor."""
    with one_blas_thread():
        rows = row_tagger(settings)
        for batch in batches:
            yield from rows.tag(batch, settings.names)


def row_tagger(settings: RowSettings) -> RowTagger:
    """Return the RowTagger of this process, which loads the model once."""
    tagger = tagger_of(located(settings.model))
    return RowTagger(tagger, settings.threshold, settings.language, settings.max_characters)


def one_blas_thread() -> Any:
    """Return a context that limits BLAS to one thread, because each core runs a task of its own."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


def located(model: Shipped) -> Shipped:
    """Return a shipped model with its path in an executor."""
    from pyspark import SparkFiles

    return model._replace(path=SparkFiles.get(model.path)) if model.packed else model


_packed: tempfile.TemporaryDirectory[str] | None = None  # removed when this process ends


def ship_model(session: SparkSession, model: Tagger | PathLike, ship: bool = True) -> Shipped:
    """Check a model, and send it to a session's executors as a file. The result's path is the file's name.

    Errors: ModelError; NertoolError for a Tagger with ship=False.
    """
    global _packed
    if not isinstance(model, Tagger):
        load(model)  # fail here, before the job starts, if the model is invalid
    if not ship:
        if isinstance(model, Tagger):
            raise NertoolError(
                "found a Tagger with ship=False, expected a path that all executors see"
            )
        path = Path(model).resolve()
        return Shipped(str(path), digest_of(path), packed=False)
    if _packed is None:
        _packed = tempfile.TemporaryDirectory(prefix="nertool-spark-")
    shipped = pack(model, Path(_packed.name))
    if "connect" in type(session).__module__:  # Spark Connect has no SparkContext
        session.addArtifacts(shipped.path, file=True)
    else:
        session.sparkContext.addFile(shipped.path)
    return shipped._replace(path=Path(shipped.path).name)


def _names(frame: DataFrame, names: ColumnNames) -> ColumnNames:
    """Check names against a frame's columns, and write the text column's name as the frame does."""
    sensitive = frame.sparkSession.conf.get("spark.sql.caseSensitive", "false") == "true"
    names.check(frame.columns, sensitive)
    kind: Any = frame.schema
    whole = [c for c in frame.columns if c == names.text] or [
        c for c in frame.columns if not sensitive and c.casefold() == names.text.casefold()
    ]
    path = whole[:1]
    for part in [] if whole else names.text.split("."):
        fields = getattr(kind, "fields", None) or []
        same = [f for f in fields if f.name == part] or [
            f for f in fields if not sensitive and f.name.casefold() == part.casefold()
        ]
        if not same:
            raise NertoolError(
                f"found no field {part} of the column {names.text}, in {kind.simpleString()[:100]}"
            )
        path.append(same[0].name)
        kind = same[0].dataType
    if whole:
        kind = frame.schema[whole[0]].dataType
    if kind.typeName() not in ("string", "binary", "varchar", "char", "void"):
        warnings.warn(
            f"the column {names.text} holds {kind.simpleString()[:100]}, not strings: every row that is not "
            "null will be put in quarantine",
            stacklevel=3,
        )
    return ColumnNames(".".join(path), names.entities, names.quarantine)


def _schema(frame: DataFrame, names: ColumnNames) -> StructType:
    """Return the tagged frame's schema. Errors: NertoolError for columns that Spark can't convert for
    Python."""
    from pyspark.sql.pandas.types import to_arrow_type
    from pyspark.sql.types import StringType, StructField, StructType

    for field in frame.schema.fields:
        try:
            to_arrow_type(field.dataType, timezone="UTC")
        except Exception as error:
            raise NertoolError(
                f"found the column {field.name} of the type {field.dataType.simpleString()[:100]}, which "
                f"Spark can't hand to Python ({spark_error(error)[:150]}); cast or drop it before"
            ) from None
    added = [
        StructField(names.entities, entity_type(), True),
        StructField(names.quarantine, StringType(), True),
    ]
    return StructType([*frame.schema.fields, *added])


def entity_type() -> DataType:
    """Return the Spark type of the column of entities."""
    from pyspark.sql.types import (
        ArrayType,
        DoubleType,
        LongType,
        StringType,
        StructField,
        StructType,
    )

    fields = [
        StructField("start", LongType(), True),
        StructField("end", LongType(), True),
        StructField("label", StringType(), True),
        StructField("text", StringType(), True),
        StructField("probability", DoubleType(), True),
    ]
    return ArrayType(StructType(fields), True)


def session_of(master: str, quiet: bool = True) -> SparkSession:
    """Return a Spark session for a master's URL, such as local[4] or spark://host:7077.

    An active session is reused. quiet: without Spark's own warnings and progress bars.

    Errors: NertoolError if PySpark or Java is missing, and for a master that can't be reached.
    """
    check_java()
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    if master.startswith("local"):  # the executors run on this machine, with its Python
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if quiet:
        settings = Path(__file__).with_name("log4j2.properties").resolve()
        os.environ.setdefault(
            "SPARK_SUBMIT_OPTS", f"-Dlog4j2.configurationFile={settings.as_uri()}"
        )
        warnings.filterwarnings("ignore", category=FutureWarning, module="pyspark")
    builder = SparkSession.builder.master(master).appName("nertool")
    if quiet:
        builder = builder.config("spark.ui.showConsoleProgress", "false")
        builder = builder.config("spark.log.level", "ERROR")
    try:
        return builder.getOrCreate()
    except Exception as error:
        raise NertoolError(
            f"found no Spark that starts at {master}: {spark_error(error)}; check --master, and the version "
            "of Java"
        ) from None


def spark_error(error: BaseException) -> str:
    """Return one line of an error of Spark: the Python error of an executor if there is one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    own = [line for line in lines if line.partition(":")[0].endswith(("Error", "Exception"))]
    python = [line for line in own if not line.startswith(("org.", "java.", "pyspark.", "py4j."))]
    said = (python or own or lines or [type(error).__name__])[0].removeprefix("nertool.errors.")
    if "No module named 'nertool'" in said:
        said += " (nertool must be installed in the Python of every executor: PYSPARK_PYTHON)"
    return said[:300]


def check_java() -> None:
    """Check that PySpark and Java are installed. Errors: NertoolError."""
    _pyspark()
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=os.path.join(home, "bin")) if home else shutil.which("java")
    if not found:
        where = f"in JAVA_HOME ({home})" if home else "on the PATH"
        raise NertoolError(
            f"found no java {where}, which Spark needs; install Java 17 or newer (on Debian: "
            "apt-get install default-jre-headless), or set JAVA_HOME"
        )


def _pyspark() -> None:
    try:
        import pyarrow  # noqa: F401
        import pyspark  # noqa: F401
    except ImportError:
        raise NertoolError(
            "tagging on Spark needs PySpark and pyarrow; install them with: pip install 'nertool[spark]'"
        ) from None
