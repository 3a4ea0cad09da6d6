# SPDX-License-Identifier: Apache-2.0
"""Energy of each request of an asynchronous service, several at a time."""
import asyncio

import carnot


@carnot.measured("request", policy="none")
async def answer(question: int) -> int:
    await asyncio.sleep(0.01)
    return sum(i * i for i in range(question))


async def main() -> None:
    await asyncio.gather(*(answer(20_000 * n) for n in range(1, 6)))


asyncio.run(main())
for m in answer.measurements:
    # Requests that overlap in time measure the same joules: each says so.
    print(f"{m.label}: {m.energy}" + (", overlapped" if m.overlapped else ""))
assert len(answer.measurements) == 5
assert all(m.energy.high > 0 for m in answer.measurements)
