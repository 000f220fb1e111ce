// How much this page has sent over the network: the content of its requests, from any of its scripts.

/** Counts between `start` and `stop`, without addresses and headers, so a request for a file counts as nothing. */
export class SentBytes {
  /** @param {() => void} onChange - called when the count has grown */
  constructor(onChange) {
    this.onChange = onChange;
    this.count = 0;
    this.starts = 0;
    this.isCounting = false;
    const note = (/** @type {any} */ content) => this.note(content);
    watch(window, "fetch", ([resource, options]) => note(options?.body ?? bodyOf(resource)));
    watch(XMLHttpRequest.prototype, "send", ([content]) => note(content));
    watch(WebSocket.prototype, "send", ([content]) => note(content));
    watch(Navigator.prototype, "sendBeacon", ([, content]) => note(content));
  }

  /** Counts from 0. */
  start() {
    this.starts++;
    this.count = 0;
    this.isCounting = true;
  }

  stop() {
    this.isCounting = false;
  }

  /** @param {BodyInit | Promise<BodyInit> | null | undefined} content */
  async note(content) {
    const {starts} = this;
    if (!this.isCounting || !content) return;
    const {byteLength} = await new Response(await content).arrayBuffer();
    if (starts !== this.starts || !byteLength) return;
    this.count += byteLength;
    this.onChange();
  }
}

/**
 * Shows the arguments of a method to a function before each call.
 *
 * @param {any} owner
 * @param {string} name - of the method
 * @param {(values: any[]) => void} look
 */
function watch(owner, name, look) {
  const method = owner[name];
  owner[name] = function (/** @type {any[]} */ ...values) {
    look(values);
    return method.apply(this, values);
  };
}

/** @param {any} resource - what fetch is given */
function bodyOf(resource) {
  return resource instanceof Request && resource.body ? resource.clone().arrayBuffer() : null;
}
