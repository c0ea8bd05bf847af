from tests.airflow_session import airflow_db, dagbag  # noqa: F401  first: it sets Airflow's environment
