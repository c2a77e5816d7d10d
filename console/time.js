// The emulated time, and how times and durations are written.
import { useEffect, useState } from './view.js'
import { call } from './api.js'
import { useRead } from './live.js'

const clock = { now: Date.now(), rate: 1, readAt: Date.now() }

/** Reads a time of the API, whose offset has no colon. */
export const parse = text => new Date(text.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')).getTime()

/** Returns the emulated time in milliseconds. */
export const emulatedNow = () => clock.now + (Date.now() - clock.readAt) * clock.rate

/** Keeps the clock; returns what `GET /_emulator/clock` answers. */
export function useClock() {
  return useRead('clock', async () => {
    const read = await call('GET', '/_emulator/clock')
    Object.assign(clock, { now: parse(read.now), rate: read.rate, readAt: Date.now() })
    return read
  }, ({ type }) => type === 'clock' || type === 'execution')
}

/** Renders again each second, while `active`. */
export function useTick(active = true) {
  const [, setTick] = useState(0)
  useEffect(() => {
    if (!active) return
    const timer = setInterval(() => setTick(tick => tick + 1), 1000)
    return () => clearInterval(timer)
  }, [active])
}

const formats = {
  local: new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' }),
  UTC: new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium', timeZone: 'UTC' })
}
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
const UNITS = [['day', 86400e3], ['hour', 3600e3], ['minute', 60e3], ['second', 1e3]]

/** How times are shown: local, UTC or relative. */
export const style = { name: localStorage.getItem('times') ?? 'local' }

/** Writes a time of the API as the user has chosen. */
export function write(text) {
  const time = parse(text)
  if (style.name !== 'relative') return formats[style.name].format(time) + (style.name === 'UTC' ? ' UTC' : '')
  const away = time - emulatedNow()
  const [unit, length] = UNITS.find(([, length]) => Math.abs(away) >= length) ?? UNITS.at(-1)
  return relative.format(Math.round(away / length), unit)
}

/** Writes a duration in milliseconds: "1 hour 46 minutes". */
export function duration(milliseconds) {
  let rest = Math.max(0, Math.round(milliseconds / 1000)) * 1000
  const parts = UNITS.flatMap(([unit, length]) => {
    const count = Math.floor(rest / length)
    rest -= count * length
    return count ? [`${count} ${unit}${count === 1 ? '' : 's'}`] : []
  })
  return parts.slice(0, 2).join(' ') || 'less than a second'
}
