"""Code to call private, what a minifier makes of it, and code of others."""

from __future__ import annotations

import re

_STEPS = ("reserve", "quote", "settle", "refund", "reconcile", "expire", "merge", "audit")


def _client() -> str:
    parts = ["import { Ledger, Money } from './ledger';\n\nexport class BillingClient {\n"]
    for number, step in enumerate(_STEPS):
        parts.append(
            f"""  async {step}Invoice(account: string, amount: Money): Promise<Ledger> {{
    const window{number} = this.calendar.{step}Window(account, {number + 3});
    if (amount.currency !== window{number}.currency) {{
      throw new Error('{step} needs the currency of its window');
    }}
    const entries = await this.store.{step}Entries(window{number}.start, window{number}.end);
    const total = entries.reduce((sum, entry) => sum.plus(entry.{step}Amount), Money.zero());
    this.metrics.observe('{step}_total', total.toNumber() * {number + 7});
    return Ledger.from(entries).with{step.capitalize()}(total, {{ retries: {number + 2} }});
  }}
"""
        )
    return "".join([*parts, "}\n"])


def _pricing() -> str:
    parts = ["from decimal import Decimal\n\n\nclass TariffBook:\n"]
    for number, step in enumerate(_STEPS):
        parts.append(
            f'''    def {step}_tariff(self, customer, usage):
        """How a tariff is {step}d."""
        bracket = self.brackets.find_{step}(customer.region, usage.kilowatt_hours)
        if bracket.is_{step}_only and not customer.has_contract:
            raise ValueError("{step} brackets need a contract")
        base = bracket.base_price * Decimal("{number}.{number + 3}5")
        discount = self.discounts.lookup_{step}(customer.segment, usage.month)
        return self.rounding.apply_{step}(base - discount.amount, places={number + 2})

'''
        )
    return "".join(parts)


CLIENT = _client()
PRICING = _pricing()


def minified(text: str) -> str:
    """Types, comments and blanks gone and locals renamed, as a bundler does it."""
    text = re.sub(r": (?:string|Money|Promise<Ledger>)", "", text)
    text = re.sub(r"^import .*\n+export ", "", text)
    for number, name in enumerate(("account", "amount", "entries", "total", "sum", "entry")):
        text = re.sub(rf"(?<![.\w']){name}\b(?!['\w])", "abcdefg"[number], text)
    text = re.sub(r"window(\d)", r"w\1", text)
    text = re.sub(r"\s+", " ", text)
    return re.sub(r" ?([{}();,=+*<>!?:&|-]) ?", r"\1", text)


def other(number: int) -> str:
    """A module that has nothing to do with it."""
    lines = [
        f"function helper{number}_{at}(left, right) {{\n"
        f"  return left.size{at} + right.count{at} * {at + number};\n}}\n"
        for at in range(60)
    ]
    return "".join(lines)
