from tests.airflow_session import airflow_db, dagbag, run_ingest  # noqa: F401  first: it sets Airflow's environment
from tests.core.test_clone import serve  # noqa: F401  a git server that asks for a password
