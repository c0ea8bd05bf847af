from tests.airflow_session import airflow_db, dagbag  # noqa: F401  first: it sets Airflow's environment
from tests.core.test_clone import serve  # noqa: F401  a git server that a test can make wait
