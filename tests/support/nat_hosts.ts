import { runToEnd } from "./run_to_end.ts";
import { ownNetworkProblem } from "./own_network.ts";

/** Addresses of {@linkcode createNatHosts}. Nothing else can have them: the first network is for measurements. */
export const ADDRESSES = {
  server: "198.18.0.1",
  router: "198.18.0.2",
  /** The router's address after {@linkcode NatHosts.reconnectRouter}. */
  laterRouter: "198.18.0.3",
  routerInside: "192.168.77.1",
  worker: "192.168.77.2",
} as const;

/** Lets nothing through the router from outside but responses. */
const ONLY_RESPONSES =
  "iptables -A FORWARD -i wan -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP";

/** Why a test cannot make hosts with NAT here; undefined if it can. */
export const natProblem: string | undefined = ownNetworkProblem ??
  await findMissingProgram();

async function findMissingProgram(): Promise<string | undefined> {
  const { code } = await runToEnd("which", ["iptables", "nsenter"]);
  return code === 0 ? undefined : "iptables or nsenter is missing";
}

/** A second host behind a router, beside this process, which is in a network of its own. Disposal removes both. */
export interface NatHosts extends AsyncDisposable {
  /** Prefix of a command that runs on the host of the worker. */
  readonly onWorkerHost: readonly string[];
  /** Takes the router's line down and up again. It then has another address, and its NAT knows no connection. */
  reconnectRouter(): Promise<void>;
}

/** Creates a router with NAT and a host behind it, and connects the router with this process' network. */
export async function createNatHosts(): Promise<NatHosts> {
  await using stack = new AsyncDisposableStack();
  const router = stack.use(await holdNetwork());
  const worker = stack.use(await holdNetwork());
  const { server, routerInside } = ADDRESSES;
  await succeed(`ip link add wan type veth peer wan netns ${router.pid}`);
  await succeed(`ip address add ${server}/24 dev wan`);
  await succeed("ip link set wan up");
  await router.run(`ip link add lan type veth peer lan netns ${worker.pid}`);
  await router.run(`ip address add ${ADDRESSES.router}/24 dev wan`);
  await router.run(`ip address add ${routerInside}/24 dev lan`);
  await worker.run(`ip address add ${ADDRESSES.worker}/24 dev lan`);
  for (const name of ["lo", "wan", "lan"]) {
    await router.run(`ip link set ${name} up`);
  }
  for (const name of ["lo", "lan"]) await worker.run(`ip link set ${name} up`);
  await worker.run(`ip route add default via ${routerInside}`);
  await router.run("sysctl --quiet --write net.ipv4.ip_forward=1");
  await router.run("iptables -t nat -A POSTROUTING -o wan -j MASQUERADE");
  await router.run(ONLY_RESPONSES);
  const owned = stack.move();
  return {
    onWorkerHost: worker.prefix,
    async reconnectRouter() {
      await router.run("ip link set wan down");
      await router.run("ip address flush dev wan");
      await router.run(`ip address add ${ADDRESSES.laterRouter}/24 dev wan`);
      await router.run("ip link set wan up");
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A network that exists as long as a process in it. */
async function holdNetwork() {
  // It ends with this process too, which closes its input.
  const child = new Deno.Command("unshare", {
    args: ["--net", "cat"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const pid = String(child.pid);
  const prefix = ["nsenter", "--target", pid, "--net"];
  const input = child.stdin.getWriter();
  const output = child.stdout.getReader();
  await input.write(new TextEncoder().encode("ready\n"));
  await output.read();
  return {
    pid,
    prefix,
    run: (command: string) => succeed(`${prefix.join(" ")} ${command}`),
    async [Symbol.asyncDispose]() {
      await input.close();
      await output.cancel();
      await child.status;
    },
  };
}

/** Runs a command, whose words contain no spaces. */
async function succeed(line: string): Promise<void> {
  const [command = "", ...args] = line.split(" ");
  const { code, out, error } = await runToEnd(command, args);
  if (code !== 0) throw new Error(`${line}: ${out}${error}`);
}
