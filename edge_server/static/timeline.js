// What a conversation looks like: slices in order, each with what the user and the assistant said in it. Knows no page.
//
// It is fed with the events of both sides and the time of each, live or from a recording, and holds nothing else: the
// same events make the same picture. Positions are in characters as the protocol counts them: Unicode code points.

export const count = (text) => [...text].length;
export const cut = (text, from, to) => [...text].slice(from, to).join("");

const PAUSE = 1.6; // slices without an event between them: the clock stood

/**
 * `slices`: {number, at, end, user: [{text, state}], words: [{item, from, to}], kind, more, tokens, ms, held, gap,
 * session, open, revision}. A user's text is "said", or the reason of a false alarm ("withdrawn", "back_channel",
 * "empty"). `gap`: milliseconds that the clock stood before it. `session`: whether another session begins with it.
 * `revision` grows with each change.
 *
 * `items`: {role, text, heard, kept, status, at}. `kept`: characters that are left of it, null: all.
 */
export class Timeline {
  constructor() {
    this.slices = [];
    this.items = [];
    this.sliceMs = 2000;
    this.model = "";
    this.idleBias = null; // the server has none
    this.heardReported = false;
    this.draft = "";
    this.held = false;
    this.speaking = false;
    this._sessions = 0;
    this._committing = []; // drafts whose commit is not answered yet
    this._heldDraft = "";
    this._open = []; // slices that no report came of
    this._places = new WeakMap(); // item → the slices that it has words in
    this._resumedAt = -Infinity;
    this._waiting = null; // the slice whose words were held back
    this._cancelled = false;
    this._boundary = false;
  }

  /** What is typed, and what is on its way to be a message. */
  get pending() {
    return [...this._committing, this.draft].filter((text) => text.trim()).join(" ");
  }

  /** An item of the newest session. */
  find(id) {
    return this.items.findLast((item) => item.id === id && item.session === this._sessions);
  }

  /** An event of either side; `at` in milliseconds from any moment on. */
  take(event, at) {
    if (event.session && event.type.startsWith("session.") && event.type !== "session.update") this._session(event);
    const handler = HANDLERS[event.type];
    if (handler) handler.call(this, event, at);
  }

  /** What of a slice the assistant said: [{text, state}], "said", "ahead" (not heard yet) or "struck". */
  parts(slice) {
    const parts = [];
    for (const { item, from, to } of slice.words) {
      const kept = Math.min(to, Math.max(from, item.kept ?? to));
      const ahead = this.heardReported && item.kept === null && item.session === this._sessions;
      const heard = ahead ? Math.min(kept, Math.max(from, item.heard)) : kept;
      for (const [start, end, state] of [[from, heard, "said"], [heard, kept, "ahead"], [kept, to, "struck"]]) {
        if (start >= end) continue;
        const text = cut(item.text, start, end);
        const last = parts.at(-1);
        if (last?.state === state) last.text += text;
        else parts.push({ text, state });
      }
    }
    return parts;
  }

  _session({ type, session }) {
    if (type === "session.created") {
      this._boundary = this._sessions++ > 0;
      Object.assign(this, { draft: "", held: false, speaking: false, _committing: [], _open: [], _waiting: null });
      for (const slice of this.slices) slice.open = false;
    }
    this.model = session.model;
    this.sliceMs = session.duplex?.slice_ms ?? this.sliceMs;
    this.idleBias = session.duplex?.idle_bias ?? null;
    this.heardReported = session.duplex?.heard === "reported";
    for (const slice of this.slices) slice.revision++;
  }

  _slice(at, before = null) {
    const place = before ? this.slices.indexOf(before) : this.slices.length;
    const earlier = this.slices[place - 1];
    const stood = earlier ? at - earlier.at : 0;
    const slice = {
      number: null, at, end: at, user: [], words: [], kind: null, more: false, tokens: null, ms: null, held: false,
      gap: stood > PAUSE * this.sliceMs ? stood - this.sliceMs : 0, session: this._boundary, open: true,
      revision: 0,
    };
    this._boundary = false;
    this.slices.splice(place, 0, slice);
    this._open.splice(before ? this._open.indexOf(before) : this._open.length, 0, slice);
    return slice;
  }

  /** The slice that words belong to: behind a false alarm, the one that was held back. */
  _speaking(at) {
    if (this._waiting && at - this._resumedAt < this.sliceMs / 2) return this._waiting;
    this._waiting = null;
    return this._open.at(-1) ?? this._slice(at);
  }

  /** The slice that a report is about. */
  _reported(kind, at) {
    const [first] = this._open;
    if (!first) return this._slice(at);
    if (kind !== "interrupted") return this._open.at(-1);
    // One that was cut short before its first word is not known of yet: it was before the words that cut it.
    const known = this._open.length > 1 || first.words.length > 0 || this._cancelled;
    return known ? first : this._slice(at, first);
  }

  _close(slice, report, at) {
    const { number, kind, more, tokens, ms } = report;
    Object.assign(slice, { number, kind, more, tokens, ms, end: at, open: false });
    slice.revision++;
    const upTo = kind === "interrupted" ? this._open.indexOf(slice) + 1 : this._open.length;
    for (const each of this._open.splice(0, upTo)) each.open = false;
    if (this.held && kind !== "silence" && !slice.words.length) {
      this._waiting = slice;
      slice.held = true;
    }
    this._cancelled = false;
  }

  _touch(item) {
    for (const slice of this._places.get(item) ?? []) slice.revision++;
  }
}

const HANDLERS = {
  // --- the user's
  "input_text_buffer.append"({ text, replace }) {
    this.draft = replace ? text : this.draft + text;
    if (this.held && this.draft.trim()) this._heldDraft = this.draft.trim();
  },
  "input_text_buffer.commit"() {
    this._committing.push(this.draft);
    this.draft = "";
  },
  "input_text_buffer.clear"() {
    this.draft = "";
  },
  "conversation.item.heard"({ item_id: id, characters }) {
    const item = this.find(id);
    if (!item || characters <= item.heard) return;
    item.heard = characters;
    this._touch(item);
  },

  // --- the server's
  "session.resumed"({ item_id: id, characters }) {
    // What a page that is no more reported as heard is known to the server alone.
    for (const item of this.items) {
      if (item.role !== "assistant" || item.session !== this._sessions) continue;
      item.heard = Math.max(item.heard, item.id === id ? characters : count(item.text));
      this._touch(item);
    }
  },
  "input_text_buffer.committed"({ item_id: id, text }, at) {
    this._committing.shift();
    this._slice(at).user.push({ text, state: "said" });
    this.items.push({
      id, session: this._sessions, role: "user", text, heard: 0, kept: null, status: "completed", at,
    });
  },
  "input_text_buffer.cleared"() {
    this._heldDraft = this._committing.shift()?.trim() || this._heldDraft;
  },
  "duplex.barge_in"() {
    this.held = true;
    this._heldDraft = this.pending.trim();
    const slice = this.slices.at(-1);
    if (slice) Object.assign(slice, { held: true, revision: slice.revision + 1 });
  },
  "duplex.resumed"({ reason, text }, at) {
    this.held = false;
    this._resumedAt = at;
    const slice = this.slices.at(-1) ?? this._slice(at);
    slice.user.push({ text: text || this._heldDraft, state: reason });
    slice.revision++;
    this._heldDraft = "";
  },
  "response.created"() {
    this.speaking = true;
  },
  "response.output_item.added"({ item: { id } }, at) {
    this.items.push({
      id, session: this._sessions, role: "assistant", text: "", heard: 0, kept: null, status: "in_progress", at,
    });
  },
  "response.output_text.delta"({ item_id: id, delta }, at) {
    const item = this.find(id);
    if (!item) return;
    const from = count(item.text);
    item.text += delta;
    const slice = this._speaking(at);
    slice.words.push({ item, from, to: from + count(delta) });
    if (!this._places.has(item)) this._places.set(item, new Set());
    this._places.get(item).add(slice);
    slice.end = at;
    slice.revision++;
  },
  "response.done"({ response }) {
    this._cancelled ||= response.status_details?.reason === "client_cancelled";
    this.speaking = false;
    this.held = false;
    const item = this.find(response.output[0]?.id);
    if (item) item.status = response.status;
  },
  "conversation.item.truncated"({ item_id: id, characters }) {
    const item = this.find(id);
    if (!item) return;
    item.kept = characters;
    this._touch(item);
  },
  "duplex.slice"(report, at) {
    this._close(this._reported(report.kind, at), report, at);
  },
};
