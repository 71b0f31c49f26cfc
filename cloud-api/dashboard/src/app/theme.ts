import { createTheme, type CSSVariablesResolver, defaultVariantColorsResolver } from "@mantine/core";

/** Colours that both schemes give a value of their own; the rest of the page knows only these names. */
const light = {
  "--paper": "#f6f5f1",
  "--surface": "#ffffff",
  "--sunken": "#efede7",
  "--line": "#dfdcd3",
  "--control-line": "#8a928f",
  "--ink": "#17201e",
  "--muted": "#56605d",
  "--accent": "#0f766e",
  "--on-accent": "#ffffff",
  "--accent-soft": "#e0f1ee",
  "--late": "#9a5b00",
  "--late-soft": "#fbf0dc",
  "--absent": "#b3332e",
  "--absent-soft": "#fbe9e7",
  "--neutral": "#68716e",
  "--neutral-soft": "#ebebe6",
  "--usual": "rgb(23 32 30 / 8%)",
  "--coverage": "#a7b0ad",
};

const dark: typeof light = {
  "--paper": "#111615",
  "--surface": "#191f1e",
  "--sunken": "#0c100f",
  "--line": "#2c3533",
  "--control-line": "#6f7b78",
  "--ink": "#e8edeb",
  "--muted": "#a3afac",
  "--accent": "#58c0b0",
  "--on-accent": "#06211d",
  "--accent-soft": "#17332f",
  "--late": "#e6ad55",
  "--late-soft": "#362a14",
  "--absent": "#f0908a",
  "--absent-soft": "#3a1f1d",
  "--neutral": "#98a3a0",
  "--neutral-soft": "#272f2d",
  "--usual": "rgb(232 237 235 / 10%)",
  "--coverage": "#5d6a67",
};

const mantine = {
  "--mantine-color-body": "var(--paper)",
  "--mantine-color-text": "var(--ink)",
  "--mantine-color-dimmed": "var(--muted)",
  "--mantine-color-placeholder": "var(--muted)",
  "--mantine-color-default": "var(--surface)",
  "--mantine-color-default-color": "var(--ink)",
  "--mantine-color-default-border": "var(--control-line)",
  "--mantine-color-default-hover": "var(--sunken)",
  "--mantine-color-anchor": "var(--accent)",
  "--mantine-color-error": "var(--absent)",
  "--mantine-primary-color-contrast": "var(--on-accent)",
};

export const cssVariablesResolver: CSSVariablesResolver = () => ({
  variables: {},
  light: { ...light, ...mantine },
  dark: { ...dark, ...mantine },
});

/** Grounds and words of quiet signs. */
const SOFT: Record<string, [string, string] | undefined> = {
  iris: ["var(--accent-soft)", "var(--accent)"],
  yellow: ["var(--late-soft)", "var(--late)"],
  red: ["var(--absent-soft)", "var(--absent)"],
  gray: ["var(--neutral-soft)", "var(--ink)"],
};

export const theme = createTheme({
  fontFamily: "Inter, system-ui, sans-serif",
  headings: {
    fontFamily: "Poppins, Inter, system-ui, sans-serif",
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.75rem", lineHeight: "1.2" },
      h2: { fontSize: "1.125rem", lineHeight: "1.35" },
      h3: { fontSize: "1rem", lineHeight: "1.4" },
    },
  },
  colors: {
    iris: [
      "#e6f5f2", "#c9e9e3", "#9bd6cb", "#6cc3b4", "#58c0b0", "#2a9687", "#178075", "#0f766e", "#0b5d57", "#083f3b",
    ],
    gray: [
      "#f6f5f1", "#efede7", "#e6e3db", "#dfdcd3", "#cfcbc0", "#a7a89f", "#868e8b", "#56605d", "#333c39", "#17201e",
    ],
    red: [
      "#fbe9e7", "#f7d3d0", "#f3b5b1", "#f2a29d", "#f0908a", "#dd6a63", "#c94a44", "#b3332e", "#972823", "#7c1e1a",
    ],
    yellow: [
      "#fbf0dc", "#f6e1b9", "#f0d093", "#ebbf72", "#e6ad55", "#c98a2b", "#b17312", "#9a5b00", "#7f4b00", "#653b00",
    ],
    dark: [
      "#e8edeb", "#c5cecb", "#a3afac", "#7c8986", "#4a5653", "#35403d", "#222a28", "#191f1e", "#111615", "#0c100f",
    ],
  },
  primaryColor: "iris",
  primaryShade: { light: 7, dark: 4 },
  variantColorResolver: (input) => {
    const colors = defaultVariantColorsResolver(input);
    if (input.variant === "filled") return { ...colors, color: "var(--on-accent)" };
    const soft = input.variant === "light" ? SOFT[input.color ?? "iris"] : undefined;
    return soft ? { ...colors, background: soft[0], hover: soft[0], color: soft[1] } : colors;
  },
  defaultRadius: "md",
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    ActionIcon: { defaultProps: { size: 44, variant: "subtle", color: "gray" } },
    Anchor: { defaultProps: { inherit: true } },
    Alert: { defaultProps: { radius: "md", color: "iris" } },
    Badge: { defaultProps: { tt: "none", fw: 600, radius: "sm" } },
    Button: { defaultProps: { size: "md" } },
    Card: { defaultProps: { withBorder: true, padding: "lg", radius: "lg" } },
    Modal: { defaultProps: { centered: true, radius: "lg", closeButtonProps: { "aria-label": "Close" } } },
  },
});
