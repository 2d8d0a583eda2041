import { ReportCheck } from "./check_reports.ts";
import type { Listener } from "./message.ts";
import type { World } from "./world.ts";

/** Listens to all that is said, for the rules about it and for the trace. */
export function listenIn(world: World): Listener {
  const reports = new ReportCheck(world);
  const guarded = (check: () => void) => {
    try {
      check();
    } catch (error) {
      world.fail(error);
    }
  };
  return {
    onRequest(exchange, server) {
      const { from, method, path } = exchange;
      world.log(`${from.name} > ${server.name} ${method} ${path}`);
      guarded(() => reports.onRequest(exchange));
    },
    onAnswer(exchange, server, answer) {
      const { from, method, path } = exchange;
      world.log(
        `${from.name} < ${server.name} ${method} ${path} ${answer.status}`,
      );
      guarded(() => reports.onAnswer(exchange, answer));
    },
  };
}
