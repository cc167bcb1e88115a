// A key-value store in memory, over HTTP: GET and PUT /KEY, GET / for all of it, POST /KEY/add for counters.
import { createServer } from "node:http";

const port = Number(process.env.PORT ?? 4312);
const values = new Map();

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

function send(response, status, value) {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

const server = createServer(async (request, response) => {
  const [key, act] = new URL(request.url, "http://store").pathname.split("/").filter(Boolean);
  if (key === "health") return send(response, 200, { keys: values.size });
  if (key === undefined) return send(response, 200, Object.fromEntries(values));
  if (request.method === "PUT") {
    values.set(key, await body(request));
    return send(response, 200, values.get(key));
  }
  if (request.method === "POST" && act === "add") {
    values.set(key, String(Number(values.get(key) ?? 0) + Number(await body(request))));
    return send(response, 200, values.get(key));
  }
  return values.has(key) ? send(response, 200, values.get(key)) : send(response, 404, null);
});

server.listen(port, "127.0.0.1", () => console.log(`store listens on ${port}`));

process.on("SIGTERM", () => {
  console.log(`closing with ${values.size} keys`);
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
