# Browsergrid with a browser: workers on machines that a server starts.
# Built by `deno task image --worker` over the images of the program and of the browser.
ARG PROGRAM
ARG BROWSER
FROM ${PROGRAM} AS program
FROM ${BROWSER}
USER root
# bubblewrap and passt isolate sessions from each other where the machine allows user namespaces.
RUN apt-get update \
  && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
    bubblewrap passt tini \
  && rm -rf /var/lib/apt/lists/* /var/cache/apt /var/cache/debconf /var/log/* \
    /usr/bin/tini-static /usr/share/doc /usr/share/man \
  && useradd --uid 10001 --gid 0 --home-dir /data --no-create-home \
    --shell /usr/sbin/nologin browsergrid \
  && install --directory --owner 10001 --group 0 --mode 2770 /data
COPY --from=program /usr/local/bin/deno /usr/local/bin/browsergrid /usr/local/bin/
COPY --from=program /usr/local/lib/browsergrid /usr/local/lib/browsergrid
COPY --from=program --chown=10001:0 /var/cache/browsergrid /var/cache/browsergrid
# Not the label of the images of browsers: it serves no CDP at port 9222.
LABEL browsergrid.image="" browsergrid.egress=""
ENV DENO_DIR=/var/cache/browsergrid \
  BROWSERGRID_DATA_DIR=/data
WORKDIR /etc/browsergrid
USER 10001:0
VOLUME /data
EXPOSE 8765
ENTRYPOINT ["tini", "--", "browsergrid"]
CMD ["worker"]
