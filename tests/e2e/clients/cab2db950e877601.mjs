import { once } from "node:events";
     import puppeteer from "puppeteer-core";
     import { WebSocket } from "ws";
     const socket = new WebSocket("ws://127.0.0.1:36249/v1/connect?keep_alive=60");
     const [{ headers }] = await once(socket, "upgrade");
     await once(socket, "open");
     const transport = {
       send: (message) => socket.send(message),
       close: () => socket.close(),
     };
     socket.on("message", (data) => transport.onmessage?.(String(data)));
     socket.on("close", () => transport.onclose?.());
     const first = await puppeteer.connect({ transport });
     const [page] = await first.pages();
     await page.goto("data:text/html,<title>Through the grid</title>");
     await page.evaluate("globalThis.mark = 'as it was'");
     await first.disconnect();
     await once(socket, "close");
     const again = await puppeteer.connect({
       browserWSEndpoint: headers["browsergrid-connect-url"],
     });
     const [same] = await again.pages();
     console.log(await same.title(), await same.evaluate("globalThis.mark"));
     await again.disconnect();