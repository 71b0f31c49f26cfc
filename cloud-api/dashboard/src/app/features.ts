/** What the server that sent this page offers; it fills a `meta` element of the shell. */
export interface Features {
  google: boolean;
  ask: boolean;
  demo: boolean;
}

const ALL: Features = { google: true, ask: true, demo: false };

export function readFeatures(content: string | null | undefined): Features {
  try {
    return { ...ALL, ...(JSON.parse(content ?? "") as Partial<Features>) };
  } catch {
    // The development server does not fill it in.
    return ALL;
  }
}

function meta(name: string): string | undefined {
  return document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ?? undefined;
}

export const features = readFeatures(meta("server-features"));

/** The nonce that the server's Content-Security-Policy lets style elements carry. */
export const styleNonce = (): string => {
  const nonce = meta("csp-nonce") ?? "";
  return nonce.startsWith("{") ? "" : nonce;
};
