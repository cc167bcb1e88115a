// The page, and its way to the API: everything below /api is passed on.
import { readFile } from "node:fs/promises";
import { createServer, request as ask } from "node:http";

const port = Number(process.env.PORT ?? 4310);
const api = process.env.API_URL ?? "http://localhost:4311";

function passOn(request, response) {
  const url = new URL(request.url.slice("/api".length), api);
  const onward = ask(url, { method: request.method, timeout: 2000 }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onward.on("error", (error) => {
    console.error(`WARN  the API does not answer: ${error.code ?? error.message}`);
    if (!response.headersSent) response.writeHead(502, { "content-type": "application/json" });
    response.end(JSON.stringify({ message: "the API does not answer" }));
  });
  request.pipe(onward);
}

const server = createServer(async (request, response) => {
  if (request.url.startsWith("/api/")) return passOn(request, response);
  if (request.url === "/health") return response.end("ok");
  if (request.url !== "/") {
    response.writeHead(404);
    return response.end();
  }
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  response.end(await readFile(new URL("page.html", import.meta.url)));
});

server.listen(port, "127.0.0.1", () => console.log(`open http://localhost:${port}`));

process.on("SIGTERM", () => {
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
