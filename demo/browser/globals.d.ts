// What the page's scripts find beside the browser's standard parts.

interface Window {
  gradio_config: {root: string; api_prefix: string};
}

interface Document {
  featurePolicy?: {allowsFeature(feature: string): boolean}; // Chromium's alone
}
