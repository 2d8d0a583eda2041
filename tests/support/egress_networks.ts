import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import { docker, TEST_IMAGE } from "./docker.ts";

/** Addresses of {@linkcode createEgressNetworks}, in networks that exist only on this machine's engine. */
export const ADDRESSES = {
  /** The host's address in a private network. */
  gateway: "10.77.0.1",
  site: "10.77.0.10",
  site6: "fd77::10",
  /** The host's address in a network with public addresses. */
  publicGateway: "11.22.33.1",
  publicSite: "11.22.33.10",
} as const;

/** Ports of the site; each answers every request with {@linkcode SITE_PAGE}. */
export const SITE_PORTS = [8080, 8081, 8082] as const;

/** Text of every page of the site. */
export const SITE_PAGE = "SITE-OK";

/** Networks with a site in a container, and a service on the host. */
export interface EgressNetworks extends AsyncDisposable {
  readonly privateNetwork: string;
  readonly publicNetwork: string;
  /** Port of the host's service, on every address of the host. */
  readonly hostPort: number;
  /** Returns the number of requests and datagrams that reached the host's service. */
  hostRequests(): number;
}

/** Creates the networks, the site and the service. */
export async function createEgressNetworks(): Promise<EgressNetworks> {
  await removeOrphans();
  await using stack = new AsyncDisposableStack();
  const mark = crypto.randomUUID().slice(0, 8);
  const network = async (name: string, subnets: readonly string[]) => {
    const made = await docker.createNetwork({
      Name: `bg-test-${name}-${mark}`,
      EnableIPv6: subnets.length > 1,
      IPAM: {
        Driver: "default",
        Config: subnets.map((Subnet) => ({ Subnet })),
      },
    });
    stack.defer(async () => {
      await made.remove();
    });
    return made;
  };
  const privateNetwork = await network("private", [
    "10.77.0.0/24",
    "fd77::/64",
  ]);
  const publicNetwork = await network("public", ["11.22.33.0/24"]);
  const site = await docker.createContainer({
    Image: TEST_IMAGE,
    Entrypoint: ["sh", "-c"],
    Cmd: [serveAll()],
    HostConfig: { NetworkMode: privateNetwork.id, Init: true },
    NetworkingConfig: {
      EndpointsConfig: {
        [privateNetwork.id]: {
          IPAMConfig: {
            IPv4Address: ADDRESSES.site,
            IPv6Address: ADDRESSES.site6,
          },
          Aliases: ["site.test", "intranet.test"],
        },
      },
    },
  });
  stack.defer(async () => {
    await site.remove({ force: true });
  });
  await publicNetwork.connect({
    Container: site.id,
    EndpointConfig: { IPAMConfig: { IPv4Address: ADDRESSES.publicSite } },
  });
  await site.start();
  let requests = 0;
  const service = createServer((_, response) => {
    requests++;
    response.end("HOST-SECRET");
  }).listen(0, "::");
  await once(service, "listening");
  stack.defer(async () => {
    service.closeAllConnections();
    service.close();
    await once(service, "close");
  });
  const address = service.address();
  const hostPort = typeof address === "object" && address ? address.port : 0;
  const datagrams = createSocket("udp4", () => requests++);
  datagrams.bind(hostPort);
  await once(datagrams, "listening");
  stack.defer(async () => {
    datagrams.close();
    await once(datagrams, "close");
  });
  const owned = stack.move();
  return {
    privateNetwork: `bg-test-private-${mark}`,
    publicNetwork: `bg-test-public-${mark}`,
    hostPort,
    hostRequests: () => requests,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Returns a server in the image's Perl: one process per port, which reads each request's head before it responds. */
function serveAll(): string {
  const program = `
    use Socket;
    socket(my $server, PF_INET6, SOCK_STREAM, 0) or die;
    setsockopt($server, SOL_SOCKET, SO_REUSEADDR, 1);
    bind($server, Socket::pack_sockaddr_in6($ARGV[0], "\\0" x 16)) or die $!;
    listen($server, 64);
    while (accept(my $client, $server)) {
      my $head = "";
      while ($head !~ /\\r\\n\\r\\n/) { sysread($client, $head, 4096, length $head) or last }
      syswrite($client, "HTTP/1.1 200 OK\\r\\nContent-Length: ${SITE_PAGE.length}\\r\\n\\r\\n${SITE_PAGE}");
    }`;
  const servers = SITE_PORTS.map((port) => `perl -e '${program}' ${port} &`);
  return `${servers.join("\n")}\nwait`;
}

/** Removes networks of killed tests, which would conflict. */
async function removeOrphans(): Promise<void> {
  const filters = { name: ["bg-test-"] };
  for (const { Id } of await docker.listNetworks({ filters })) {
    const network = docker.getNetwork(Id);
    const { Containers = {} } = await network.inspect();
    for (const id of Object.keys(Containers)) {
      await docker.getContainer(id).remove({ force: true });
    }
    await network.remove();
  }
}
