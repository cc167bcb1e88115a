/** Cents as a price: 1990 is 19.90 €. */
export function price(cents) {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")} €`;
}
