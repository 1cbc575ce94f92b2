"""How far raters and judges agree: coefficients, their intervals, tests and yardsticks."""
