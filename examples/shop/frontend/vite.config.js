import { defineConfig } from "vite";

const health = {
  name: "health",
  configureServer(server) {
    server.middlewares.use("/health", (_request, response) => response.end("ok"));
  },
};

export default defineConfig({
  plugins: [health],
  clearScreen: false,
  server: {
    host: "127.0.0.1",
    port: Number(process.env.PORT ?? 3000),
    // Forge moves ports; a server that moves by itself would not be where it is looked for.
    strictPort: true,
    proxy: { "/api": process.env.BACKEND_URL ?? "http://127.0.0.1:8080" },
  },
});
