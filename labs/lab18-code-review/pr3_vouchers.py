"""Pull request 3: customers redeem vouchers.

A voucher is worth 20 euros, once. The bank gives the customer the money; a second request for the
voucher gets a 409. If the bank fails, the customer gets a 502, and the voucher stays good.
"""

from desk import BankAwayError, User, book, is_sold
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

CENTS = 2000
vouchers = APIRouter()
redeemed: dict[str, str] = {}  # a voucher's code, and who has the money


class Booking(BaseModel):
    code: str
    cents: int
    booking: int


@vouchers.post("/vouchers/{code}", status_code=201)
async def redeem(code: str, user: User) -> Booking:
    """Redeem a voucher, once."""
    if not is_sold(code):
        raise HTTPException(404, "There is no such voucher.")
    if code in redeemed:
        raise HTTPException(409, "This voucher is redeemed already.")
    try:
        number = await book(code, user, CENTS)
    except BankAwayError as error:
        raise HTTPException(502, "The bank is away. Your voucher is still good.") from error
    redeemed[code] = user
    return Booking(code=code, cents=CENTS, booking=number)


@vouchers.get("/vouchers/{code}")
async def read_voucher(code: str, user: User) -> dict[str, bool]:
    """Say whether the user has the money of a voucher."""
    if not is_sold(code):
        raise HTTPException(404, "There is no such voucher.")
    return {"yours": redeemed.get(code) == user}
