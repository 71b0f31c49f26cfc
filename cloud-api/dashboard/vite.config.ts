import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const server = process.env.CLOUD_API ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
  server: {
    host: "127.0.0.1",
    proxy: {
      "^/api/": { target: server },
      "^/(health|healthz)$": { target: server },
    },
  },
  build: {
    target: "es2022",
    outDir: "dist",
    // Fonts and pictures stay files: a data: address would need a wider Content-Security-Policy.
    assetsInlineLimit: 0,
    // For scripts/sizes.mjs.
    manifest: true,
    chunkSizeWarningLimit: 700,
  },
});
