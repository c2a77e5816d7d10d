/// <reference lib="esnext.disposable" />

/** How an emulator is started. */
export interface EmulatorOptions {
  /** The address to listen on; a free port if absent. */
  listen?: string
  /** The database file; a temporary one if absent. */
  database?: string
  /** The seed file; the demo data if absent. */
  seed?: string
  /** How long automated steps take; `quick` if absent. */
  pace?: 'immediate' | 'quick' | 'realistic'
  /** The speed of the clock relative to real time; 0 stops it. */
  clockRate?: number
  /** The start time of the clock, as in `2026-03-05T10:00:00Z`; now if absent. */
  clockStart?: string
  /** Who may call the API; `open` if absent. */
  auth?: 'open' | 'strict'
  /** The base of absolute URLs. */
  publicUrl?: string
  /** The base of URLs in events; the public URL if absent. */
  eventUrl?: string
}

/** What happened while the clock was moved. */
export interface Advanced {
  /** The emulated time. */
  now: string
  /** How many times a step changed its status. */
  transitions: number
  /** How many events were recorded for webhooks. */
  events: number
  /** When something happens next by itself. */
  nextDue?: string
}

/** A running emulator. */
export interface Emulator extends AsyncDisposable {
  /** Its base URL, for example `http://127.0.0.1:41234`. */
  url: string
  /** Moves the clock by an ISO-8601 duration, or to the next change that is due. */
  advanceClock(by?: string): Promise<Advanced>
  /** Stops it, and waits until it has stopped. */
  stop(): Promise<void>
}

/** Starts an emulator and waits until it answers. */
export function startEmulator(options?: EmulatorOptions): Promise<Emulator>
