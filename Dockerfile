# One image for every service: Airflow's own entry point, our lock, our code. The slim base carries no providers
# beyond Airflow's core, so that requirements.txt decides every version.
FROM apache/airflow:slim-3.3.2-python3.12

USER root
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git openssh-client \
    && rm -rf /var/lib/apt/lists/* \
    # Named volumes take over the owner of the directory they cover.
    && install --directory --owner=airflow --group=root --mode=0775 /workspace /cache /opt/airflow/auth
USER airflow

COPY --chown=airflow:root requirements.txt /opt/askrepo/
RUN pip install --no-cache-dir --requirement /opt/askrepo/requirements.txt

COPY --chown=airflow:root pyproject.toml README.md LICENSE /opt/askrepo/
COPY --chown=airflow:root askrepo /opt/askrepo/askrepo
COPY --chown=airflow:root query /opt/askrepo/query
RUN pip install --no-cache-dir --no-deps /opt/askrepo

COPY --chown=airflow:root dags /opt/airflow/dags
COPY --chown=airflow:root plugins /opt/airflow/plugins
ENV ASKREPO_WORKSPACE=/workspace ASKREPO_CACHE=/cache
