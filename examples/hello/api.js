// The API: tells what the store holds, and can be crashed on purpose.
import { createServer } from "node:http";

const port = Number(process.env.PORT ?? 4311);
const store = process.env.STORE_URL ?? "http://localhost:4312";
const started = new Date();

async function orders() {
  const answer = await fetch(store, { signal: AbortSignal.timeout(800) });
  const { opened = 0, sent = 0, greeting = "" } = await answer.json();
  return { greeting, opened: Number(opened), sent: Number(sent), pid: process.pid, since: started.toISOString() };
}

/** What a bug looks like: a stack trace on stderr, and exit 1. */
function crash() {
  const order = undefined;
  return order.customer.name;
}

const routes = {
  "GET /health": async () => ({ store: (await fetch(`${store}/health`)).status }),
  "GET /orders": orders,
  "POST /orders": async () => {
    await fetch(`${store}/opened/add`, { method: "POST", body: "1" });
    return orders();
  },
  "POST /crash": async () => {
    setImmediate(crash);
    return { message: "crashing" };
  },
};

const server = createServer(async (request, response) => {
  const begun = performance.now();
  const path = new URL(request.url, "http://api").pathname;
  const route = routes[`${request.method} ${path}`];
  let [status, answer] = [404, { message: `no ${path} here` }];
  if (route) {
    try {
      [status, answer] = [200, await route()];
    } catch (error) {
      [status, answer] = [503, { message: `the store does not answer: ${error.message}` }];
    }
  }
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(answer));
  if (path === "/health" && status === 200) return;
  const line = `${request.method} ${path} - ${status} (${Math.round(performance.now() - begun)}ms)`;
  if (status < 400) console.log(line);
  else console.error(`ERROR ${line}`);
});

server.listen(port, "127.0.0.1", () => console.log(`api listens on ${port}, and asks ${store}`));

process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
