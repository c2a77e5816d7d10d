// The view library, from one place.
export {
  Component, html, render, useCallback, useEffect, useMemo, useRef, useState
} from '../vendor/htm/standalone.module.js'
