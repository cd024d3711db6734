"""The lists of variables: which of the caller's pass to our processes, and which are set in all of them.

`inheritance` applies them; docs/environment.md, which docs/references.py writes, shows them.
"""

import os
import platform

from prefect_dvc import git_environment

THREADS = ("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS")

# The reason, and the variables that pass for it; `*` stands for any ending.
PASSED = {
    "where programs and libraries are": (
        "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "NIX_LD", "NIX_LD_LIBRARY_PATH",
        "VIRTUAL_ENV", "CONDA_*", "PYENV_*",
    ),
    "where Python code is, such as this tree's and `flows`": (
        "PYTHONPATH", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX",
    ),
    "who you are, and where your files are": (
        "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TMPDIR", "TEMP", "TMP", "XDG_*",
    ),
    "language and time zone of messages": (
        "LANG", "LANGUAGE", "LC_*", "LOCPATH", "LOCALE_ARCHIVE", "TZ", "TZDIR", "__CF_USER_TEXT_ENCODING",
    ),
    "the terminal, and completion on it": (
        "TERM", "TERMINFO", "TERMINFO_DIRS", "TERM_PROGRAM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR",
        "CLICOLOR", "CLICOLOR_FORCE", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "PAGER", "LESS", "PYTHONIOENCODING",
        "PYTHONUTF8", "PYTHONUNBUFFERED", "_GAZETTE_COMPLETE", "COMP_WORDS", "COMP_CWORD",
    ),
    "how much is logged": (
        "TF_CPP_MIN_LOG_LEVEL", "MLFLOW_LOGGING_LEVEL", "PREFECT_LOGGING_LEVEL", "PYTHONFAULTHANDLER",
    ),
    "certificates": (
        "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NIX_SSL_CERT_FILE", "OPENSSL_CONF",
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
    ),
    "proxies; `socks://` is read as `socks5://`": (
        "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "FTP_PROXY", "NO_PROXY",
        "http_proxy", "https_proxy", "all_proxy", "ftp_proxy", "no_proxy",
    ),
    "addresses and credentials of DVC's remotes and of artifacts": (
        "AWS_*", "BOTO_CONFIG", "AZURE_*", "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "MSI_ENDPOINT", "MSI_SECRET",
        "GOOGLE_*", "CLOUDSDK_*", "GCLOUD_PROJECT", "STORAGE_EMULATOR_HOST", "GDRIVE_CREDENTIALS_DATA", "OSS_*",
        "HADOOP_*", "JAVA_HOME", "CLASSPATH", "ARROW_LIBHDFS_DIR", "KRB5*", "KUBERNETES_SERVICE_*", "NETRC",
        "FSSPEC_S3_*", "FSSPEC_GCS_*", "FSSPEC_ABFS_*",
    ),
    "keys and passwords that an agent or a keyring keeps": (
        "SSH_*", "GNUPGHOME", "GPG_TTY", "DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND",
    ),
    "address and credentials of the registry": (
        "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN",
        "MLFLOW_TRACKING_AUTH", "MLFLOW_TRACKING_AWS_SIGV4", "MLFLOW_TRACKING_INSECURE_TLS",
        "MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_CLIENT_CERT_PATH", "MLFLOW_WORKSPACE",
        "MLFLOW_S3_*", "MLFLOW_BOTO_CLIENT_ADDRESSING_STYLE", "MLFLOW_GCS_*", "MLFLOW_KERBEROS_*", "MLFLOW_MYSQL_SSL_*",
        "MLFLOW_HTTP_REQUEST_*", "MLFLOW_ARTIFACT_*", "MLFLOW_*MULTIPART*", "DATABRICKS_*",
        "PG*",
    ),
    "address and credentials of Prefect's server": (
        "PREFECT_API_URL", "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING", "PREFECT_API_SSL_CERT_FILE",
        "PREFECT_API_TLS_INSECURE_SKIP_VERIFY", "PREFECT_API_REQUEST_TIMEOUT", "PREFECT_CLIENT_CUSTOM_HEADERS",
        "PREFECT_CLIENT_MAX_RETRIES", "PREFECT_CLOUD_API_URL", "PREFECT_CLOUD_UI_URL", "PREFECT_HOME",
    ),
    "the project of a run, by which processes that outlive it are recognized": ("PREFECT_DVC_RUN",),
    "address and certificates of a Dask cluster": ("DASK_SCHEDULER", "DASK_DISTRIBUTED__COMM__*"),
    "the package index, for `gazette corpus fetch` and `make install`": (
        "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_TRUSTED_HOST", "PIP_CERT",
        "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES", "PIP_CACHE_DIR",
        "PIP_NO_CACHE_DIR", "PIP_CONFIG_FILE", "PIP_KEYRING_PROVIDER", "PIP_DISABLE_PIP_VERSION_CHECK",
        "UV_INDEX", "UV_INDEX_*", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INSECURE_HOST",
        "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_HTTP_*", "UV_CACHE_DIR", "UV_NO_CACHE", "UV_CONFIG_FILE", "UV_OFFLINE",
        "UV_KEYRING_PROVIDER", "UV_LINK_MODE", "UV_CONCURRENT_*",
    ),
    "the job of a CI that this is": (
        "CI", "CI_*", "GITHUB_*", "GH_*", "RUNNER_*", "ACTIONS_*", "GITLAB_*", "BITBUCKET_*", "BUILDKITE*", "CIRCLE*",
        "JENKINS_*", "BUILD_*", "SYSTEM_*", "TEAMCITY_*", "TF_BUILD", "TRAVIS*",
    ),
    "which graphics card is used; bytes are promised for processors": (
        "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "CUDA_HOME", "CUDA_PATH", "CUDA_CACHE_PATH", "NVIDIA_*",
        "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR",
    ),
    "where spans of `gazette serve` are sent": ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_*"),
    "how many threads; no result depends on it": THREADS,
    "what DVC tells a stage, and where its own files are": (
        "DVC_ROOT", "DVC_STAGE", "DVC_EXP_NAME", "DVC_EXP_BASELINE_REV", "DVC_GLOBAL_CONFIG_DIR",
        "DVC_SYSTEM_CONFIG_DIR", "DVC_SITE_CACHE_DIR",
    ),
    "git; [git.md](git.md#variables-of-git) has the reasons": tuple(git_environment.PASSED),
    "what macOS needs to start a process by fork": ("OBJC_DISABLE_INITIALIZE_FORK_SAFETY",),
    "Gazette's own: `GAZETTE_NOTIFY`, `GAZETTE_PASS`, …": ("GAZETTE_*",),
}  # fmt: skip

# What prefect-dvc's stages inherit is for this function to say.
POLICY = {"PREFECT_DVC_ENVIRONMENT": "gazette.pipeline.inheritance:inherited"}

# Variables that are set in every process, each with its reason.
SET = {
    **{name: (value, "stages inherit what is listed here") for name, value in POLICY.items()},
    "DO_NOT_TRACK": ("true", "no telemetry"),
    "DVC_NO_ANALYTICS": ("1", "no telemetry"),
    "GX_ANALYTICS_ENABLED": ("false", "no telemetry"),
    "MLFLOW_DISABLE_TELEMETRY": ("true", "no telemetry"),
    "PREFECT_SERVER_ANALYTICS_ENABLED": ("false", "no telemetry"),
    "KERAS_HOME": (os.devnull, "`keras.json` in a home is not read"),
    "PREFECT_PROFILES_PATH": (os.devnull, "profiles in a home are not read"),
    "OPENBLAS_NUM_THREADS": ("1", "sums are added in another order by several threads"),
}

# Kernels are chosen by the processor, and each adds in another order; these run wherever polars does, which needs AVX2.
KERNELS = {
    "OPENBLAS_CORETYPE": ("Haswell", "OpenBLAS adds in the same order on every processor"),
    "NPY_DISABLE_CPU_FEATURES": ("X86_V4 AVX512_ICL AVX512_SPR", "numpy's `exp` has the same last bit without AVX512"),
}
if platform.machine() in ("x86_64", "AMD64"):
    SET |= KERNELS
