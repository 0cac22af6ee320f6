"""Who may become a customer, in both generations. (docs: /guides/customers/onboarding-individuals)"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from runner.sandbox.fin import catalogue, checks
from runner.sandbox.fin.checks import Fields
from runner.sandbox.fin.occupations import OCCUPATIONS

EMPLOYMENT = ("EMPLOYED", "RETIRED", "SELF_EMPLOYED", "STUDENT", "UNEMPLOYED")
GENDERS = ("FEMALE", "MALE")
VERIFICATIONS = ("RELIANCE", "STANDARD")
YOUNGEST, OLDEST = 18, 120
LOWER_CASE = "Email must be all lowercase"
SAME_COUNTRY = "Must match basic_info.country_of_residence"
SSN_FORM = "TIN must be in SSN format (xxx-xx-xxxx) for USA customers"
_SSN = re.compile(r"[0-9]{3}-[0-9]{2}-[0-9]{4}")


def check_v2(given: Fields, now: float) -> None:
    """Names and streets may have any letters with an `_en` twin; a city has no twin, so it must be Latin."""
    given.one_of("verification_type", VERIFICATIONS)
    info = given.inner("basic_info")
    info.twin("first_name")
    info.twin("middle_name", required=False)
    info.twin("last_name")
    country = _person(info, now)
    info.country("primary_nationality")
    info.country("secondary_nationality", required=False)
    info.one_of("gender", GENDERS, required=False)
    _tax_info(info)
    address = given.inner("address")
    address.twin("street_line_1")
    address.twin("street_line_2", required=False)
    _place(address, "subdivision_code", country)
    profile = given.inner("financial_profile")
    profile.one_of("employment_status", EMPLOYMENT)
    profile.text("purpose_remarks", required=False)
    profile.text("source_of_funds_description", required=False)
    _sources(profile)
    _profile(profile)
    given.inner("meta_data", required=False)
    given.refuse()


def check_v1(given: Fields, now: float) -> None:
    """Latin letters everywhere; the address may be in any country."""
    given.one_of("verification_type", VERIFICATIONS, required=False)
    info = given.inner("basic_info")
    info.ascii("first_name")
    info.ascii("last_name")
    country = _person(info, now)
    info.country("nationality")
    if (tin := info.ascii("tin")) and country == "USA" and not _SSN.fullmatch(tin):
        info.wrong("tin", SSN_FORM)
    address = given.inner("address")
    address.ascii("street")
    _place(address, "state", None)
    profile = given.inner("financial_profile")
    profile.choice("source_of_fund_id", catalogue.SOURCES_OF_FUNDS)
    _profile(profile)
    given.inner("meta_data", required=False)
    given.refuse()


def _person(info: Fields, now: float) -> str:
    """What both generations ask of a person; gives the country of residence."""
    born = info.day("dob")
    if born is not None and not YOUNGEST <= _age(born, checks.today(now)) <= OLDEST:
        info.wrong("dob", f"Age must be between {YOUNGEST} and {OLDEST}")
    email = info.email("email")
    if email != email.lower():
        info.wrong("email", LOWER_CASE)
    info.phone("phone")
    return info.country("country_of_residence")


def _tax_info(info: Fields) -> None:
    seen: set[Any] = set()
    for entry in info.many("tax_info"):
        country = entry.country("country_code")
        entry.text("document_type")
        number = entry.text("document_id")
        if country == "USA" and number and not _SSN.fullmatch(number):
            entry.wrong("document_id", SSN_FORM)
        if number and number in seen:
            entry.wrong("document_id", "document_id must be unique within tax_info")
        seen.add(number)


def _place(address: Fields, subdivision: str, residence: str | None) -> None:
    """`residence` is the country an address has to be in; None is any."""
    country = address.country("country")
    if country and residence and country != residence:
        address.wrong("country", SAME_COUNTRY)
        country = ""  # the rest of the address cannot be measured; the guide's example names this one only
    address.ascii("city")
    address.subdivision(subdivision, country)
    address.postal_code("postal_code", country)


def _profile(profile: Fields) -> None:
    profile.choice("occupation_id", OCCUPATIONS)
    profile.choice("purpose_id", catalogue.PURPOSES)
    profile.whole("monthly_volume_usd")


def _sources(profile: Fields) -> None:
    value = profile.given.get("source_of_fund_ids")
    if value is None or value == []:
        profile.wrong("source_of_fund_ids", "source_of_fund_ids is required")
    elif not isinstance(value, list) or not all(isinstance(one, int) and not isinstance(one, bool) for one in value):
        profile.wrong("source_of_fund_ids", "source_of_fund_ids must be an array of integers")
    elif not set(value) <= set(catalogue.SOURCES_OF_FUNDS):
        profile.wrong("source_of_fund_ids", "source_of_fund_ids is not in the catalogue")


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
