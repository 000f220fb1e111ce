// How much this page has given to the network: the content of its requests, whoever of its scripts makes them.

/** Counts between `start` and `stop`. The address and the headers of a request are no content; a request for a file has none. */
export class SentBytes {
  /** @param {() => void} onChange - called when there are more */
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
 * Has a function look at the arguments of a method before each call.
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
