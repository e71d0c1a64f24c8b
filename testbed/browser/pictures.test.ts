import { PNG } from 'pngjs'
import { expect, test } from 'vitest'
import { differenceOf } from './pictures.ts'

function picture(width: number, height: number, dark: number): PNG {
  const png = new PNG({ width, height })
  png.data.fill(255)
  for (let pixel = 0; pixel < dark; pixel += 1) png.data.fill(0, pixel * 4, pixel * 4 + 3)
  return png
}

test('the difference of two pictures is the part of their pixels that differ', () => {
  const white = picture(10, 10, 0)
  expect(differenceOf(white, white)).toBe(0)
  expect(differenceOf(white, picture(10, 10, 7))).toBeCloseTo(0.07)
  expect(differenceOf(white, picture(10, 10, 100))).toBe(1)
})

test('pictures of different sizes have nothing in common', () => {
  expect(differenceOf(picture(10, 10, 0), picture(10, 11, 0))).toBe(1)
})
