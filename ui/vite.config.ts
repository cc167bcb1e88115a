import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Relative, so that it works from Tauri's protocol and below any folder of a web server.
  base: './',
  plugins: [svelte(), svelteTesting({ autoCleanup: false })],
  clearScreen: false,
  server: { port: 5173, strictPort: true },
  // The oldest web views that the desktop app meets.
  build: { target: ['chrome111', 'safari16.4'], assetsInlineLimit: 0, chunkSizeWarningLimit: 800 },
  test: { include: ['src/**/*.test.ts'], testTimeout: 30_000 },
});
