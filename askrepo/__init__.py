"""askrepo's core: everything that is true without Airflow and without a terminal."""

__version__ = "0.1.0"
