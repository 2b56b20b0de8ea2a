// One session of /v1/realtime, over as many connections as it takes. Knows no page: events out, events in.
//
// Every event has an id of its own, and is kept: after a lost connection the server says which was the last to come,
// and what was sent after it is sent again. What the server sent meanwhile comes again by itself. A page that was
// reloaded comes back with the session's token alone, and is sent everything from the beginning.

const FIRST_WAIT = 250; // milliseconds before the first attempt to come back; each further one doubles it
const LONGEST_WAIT = 8000;
const PATIENCE = 10000; // milliseconds for a connection to be made
const KEPT = 1024; // events that may have to be sent again
const TAKEN_OVER = 4001;
const LEFT = 4000; // a close code by which the session stays
const ENDED = 1000;

/** How long to wait before an attempt (from 0), in milliseconds; `random` in [0, 1) spreads many clients. */
export function backoff(attempt, random = Math.random()) {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** attempt) * (0.8 + 0.4 * random);
}

/** Where the session is found for a page at `location`. */
export function endpoint(location) {
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/v1/realtime`;
}

/**
 * `token`: of the session to come back to; null: a new one. `onEvent(event, {old, back})`: `old` where it happened
 * before this page, or on another; `back` where what was missed is over with it. States, as `onState(state, detail)` is
 * told them: "connecting"; "open"; "waiting" (detail: milliseconds until the next attempt); "lost" (the session is gone,
 * a new one follows); "taken" (it goes on elsewhere); "ended".
 */
export class Client {
  constructor({ url, token = null, duplex = () => ({}), onEvent, onSent = () => {}, onState = () => {}, Socket = WebSocket }) {
    this.url = url;
    this.state = "ended";
    this._duplex = duplex;
    this._onEvent = onEvent;
    this._onSent = onSent;
    this._onState = onState;
    this._Socket = Socket;
    this._number = 0;
    this._attempt = 0;
    this._name = Math.random().toString(36).slice(2); // no other page of the session had it
    this._connections = 0;
    this._connected = null; // what this connection is called: the answer to an earlier one may come first
    this._forget();
    this._token = token;
    this._old = token !== null;
  }

  get token() {
    return this._token;
  }

  start() {
    this._connect();
  }

  /** Sends an event as soon as there is a connection; returns its id. */
  send(type, fields = {}) {
    const event = { type, ...fields, event_id: `page-${this._name}-${++this._number}` };
    this._kept.push(event);
    if (this._kept.length > KEPT) this._kept.shift();
    if (this.state === "open") this._transmit(event);
    this._onSent(event);
    return event.event_id;
  }

  /** The session goes on here again, in place of where it was taken to. */
  takeBack() {
    if (this.state === "taken") this._connect();
  }

  /** Do not wait any longer for the next attempt. */
  retry() {
    if (this.state === "waiting") this._connect();
  }

  /** The session is over; the server forgets it. */
  end() {
    this._drop(ENDED);
    this._forget();
    this._enter("ended");
  }

  /** The page goes; the session stays for it to come back to. */
  leave() {
    this._drop(LEFT);
    this._enter("ended");
  }

  /** The connection is given up, not the session: what a network does that fails. */
  interrupt() {
    this._drop(LEFT);
    this._wait();
  }

  _forget() {
    this._token = null;
    this._last = null;
    this._kept = [];
    this._old = false; // what comes happened before this page, or on another
  }

  _enter(state, detail) {
    this.state = state;
    this._onState(state, detail);
  }

  _transmit(event) {
    this._socket.send(JSON.stringify(event));
  }

  _drop(code) {
    clearTimeout(this._timer);
    const socket = this._socket;
    this._socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close(code);
  }

  _connect() {
    this._drop(LEFT);
    let url = this.url;
    if (this._token) {
      url += `?resume=${encodeURIComponent(this._token)}`;
      this._connected = `${this._name}-${++this._connections}`;
      url += `&connection=${this._connected}`;
      if (this._last) url += `&after=${encodeURIComponent(this._last)}`;
    }
    this._enter("connecting");
    const socket = new this._Socket(url, "realtime");
    this._socket = socket;
    this._timer = setTimeout(() => this.interrupt(), PATIENCE);
    socket.onmessage = ({ data }) => this._receive(JSON.parse(data));
    socket.onclose = ({ code }) => {
      clearTimeout(this._timer);
      this._socket = null;
      if (code === TAKEN_OVER) {
        this._kept = []; // the session has gone on without what of it did not come
        this._old = true; // what is missed from now on happens there
        this._enter("taken");
      } else this._wait();
    };
  }

  _wait() {
    const wait = backoff(this._attempt++);
    this._timer = setTimeout(() => this._connect(), wait);
    this._enter("waiting", wait);
  }

  _receive(event) {
    if (event.type === "error" && event.error.code === "session_not_found") {
      const unsent = this._old ? this._kept : []; // nothing of it was about the session that is gone
      this._forget();
      this._kept = unsent;
      this._enter("lost");
      this._connect();
      return;
    }
    this._last = event.event_id ?? this._last;
    if (event.session?.resume) this._token = event.session.resume.token;
    const back = event.type === "session.resumed" && event.connection === this._connected;
    if (back) this._old = false;
    this._onEvent(event, { old: this._old, back });
    if (back) this._resume(event.last_client_event_id);
    else if (event.type === "session.created" && !this._old) this._begin();
  }

  _begin() {
    const waiting = this._kept;
    this._kept = [];
    this._opened();
    this.send("session.update", { session: { type: "realtime", duplex: this._duplex() } });
    for (const event of waiting) {
      this._kept.push(event);
      this._transmit(event);
    }
  }

  _resume(lastThatCame) {
    const came = this._kept.findIndex((event) => event.event_id === lastThatCame);
    this._kept.splice(0, came + 1);
    this._opened();
    for (const event of this._kept) this._transmit(event);
  }

  _opened() {
    clearTimeout(this._timer);
    this._attempt = 0;
    this._enter("open");
  }
}
