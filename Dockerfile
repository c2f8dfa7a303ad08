# Build the wheel, with compiled kernels.
FROM python:3.13-slim AS build
# The compiler's version follows the image's Debian release.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
# Extras to install, such as [arrow,zst].
ARG EXTRAS=""
COPY --from=build /wheels /wheels
# What is installed is the wheel that was just built, and its version is fixed.
# hadolint ignore=DL3013
RUN wheel="$(echo /wheels/*.whl)" \
    && pip install --no-cache-dir "${wheel}${EXTRAS}" \
    && rm -rf /wheels \
    && useradd --create-home --uid 1000 nertool
USER 1000
# Mount the folder with texts and models here: docker run --rm -v "$PWD:/work" nertool info runs/my
WORKDIR /work
ENTRYPOINT ["nertool"]
CMD ["--help"]
