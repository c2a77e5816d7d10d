// The view library, from one place.
export {
  html, render, useCallback, useEffect, useMemo, useRef, useState
} from './vendor/htm/standalone.module.js'
