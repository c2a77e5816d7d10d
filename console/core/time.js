// The emulated time, and how times and durations are written.
import { useEffect, useState } from './view.js'
import { call } from './api.js'
import { useRead } from './live.js'
import { remembered } from './store.js'

const clock = { now: Date.now(), rate: 1, readAt: Date.now() }

/** Reads a time of the API, whose offset has no colon. */
export const parse = text => new Date(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')).getTime()

/** Returns the emulated time in milliseconds. */
export const emulatedNow = () => clock.now + (Date.now() - clock.readAt) * clock.rate

/** Returns the emulated time that is some real milliseconds after another one, and after the rest of its millisecond. */
export const emulatedAfter = (time, milliseconds) => time + Math.ceil(milliseconds * clock.rate) + 1

/** Keeps the clock, and returns what `GET /_emulator/clock` answers. */
export function useClock() {
  return useRead('clock', async () => {
    const read = await call('GET', '/_emulator/clock')
    Object.assign(clock, { now: parse(read.now), rate: read.rate, readAt: Date.now() })
    return read
  }, ({ type }) => type === 'clock' || type === 'execution')
}

/** Returns the emulated time, and renders again each second while `active`. */
export function useNow(active = true) {
  const [, rerender] = useState({})
  useEffect(() => {
    if (!active) return undefined
    const timer = setInterval(() => rerender({}), 1000)
    return () => clearInterval(timer)
  }, [active])
  return emulatedNow()
}

/** How times are shown: local, UTC or relative. */
export const timeStyle = remembered('times', 'local')

/** The time zone of the browser. */
export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone

const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const utc = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [['day', 86400e3], ['hour', 3600e3], ['minute', 60e3], ['second', 1e3]]

/** Writes a time in milliseconds in the browser's zone. */
export const writeLocal = time => local.format(time)

/** Writes a time in milliseconds in UTC. */
export const writeUtc = time => `${utc.format(time)} UTC`

/** Writes how far a time is from the emulated time. */
export function writeRelative(time) {
  const away = time - emulatedNow()
  const [unit, length] = UNITS.find(([, it]) => Math.abs(away) >= it) ?? UNITS[UNITS.length - 1]
  return relative.format(Math.round(away / length), unit)
}

/** Writes a time as the user has chosen. */
export function writeTime(time, style) {
  if (style === 'relative') return writeRelative(time)
  return style === 'UTC' ? writeUtc(time) : writeLocal(time)
}

/** Writes a duration in milliseconds by its largest units: "1 hour 46 minutes". */
export function writeDuration(milliseconds, units = 2) {
  let rest = Math.max(0, Math.round(milliseconds / 1000)) * 1000
  const parts = UNITS.flatMap(([unit, length]) => {
    const count = Math.floor(rest / length)
    rest -= count * length
    return count ? [`${count} ${unit}${count === 1 ? '' : 's'}`] : []
  })
  return parts.slice(0, units).join(' ') || 'less than a second'
}

/** Says how the emulated time differs from the real one; nothing where it hardly does. */
export function writeDifference() {
  const away = emulatedNow() - Date.now()
  if (Math.abs(away) < 60e3) return undefined
  return `${writeDuration(Math.abs(away), 1)} ${away > 0 ? 'ahead of' : 'behind'} the real time`
}
