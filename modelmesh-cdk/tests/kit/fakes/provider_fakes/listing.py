"""Providers with faulty model lists."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from attrs import evolve
from provider_fakes.honest import Honest

from modelmesh.contracts.models import ModelInfo
from modelmesh.errors import ProviderError
from modelmesh_cdk.testing.dialects import OpenAIDialect


class Paged(OpenAIDialect):
    """Format with a paged list. A page names its last model if another page follows."""

    has_pages = True

    def write_model_list(self, rows, *, more=False):
        page = json.loads(super().write_model_list(rows))
        return json.dumps({**page, "last": rows[-1] if more else None}).encode()

    def requested_page(self, received):
        return parse_qs(urlsplit(received.path).query).get("after", [None])[0]


class ReadsTheFirstPage(Honest):
    kit = {"dialect": Paged()}


class TakesHalfAListForAll(Honest):
    kit = {"dialect": Paged()}
    read: set[str] = set()

    def _next_model_page(self, data):
        last = data["last"]
        if last is None or last in self.read:
            return None
        self.read = {*self.read, last}
        return {"after": last}


class Lists(Honest):
    """Base class of fakes that change the rows in ``made``."""

    def discover_models(self, limits=None):
        return self.made(tuple(super().discover_models(limits)))

    def made(self, rows):
        return rows


class AsksElsewhere(Honest):
    list_path = "/catalogue"


class SendsTheKeyInTheAddress(Honest):
    def _get_list_endpoint(self):
        return f"{super()._get_list_endpoint()}?key={self.api_key.reveal()}"


class AsksWithoutTheKey(Honest):
    def discover_models(self, limits=None):
        self._headers = [pair for pair in self._fixed_headers() if pair[0] != "Authorization"]
        return super().discover_models(limits)


class ReadsTheFirstRow(Lists):
    def made(self, rows):
        return rows[:1]


class ReadsEverythingTwice(Lists):
    def made(self, rows):
        return rows + rows


class AsksForEver(Lists):
    def made(self, rows):
        for _ in range(9):
            rows = tuple(Honest.discover_models(self))
        return rows


class RenewsWhatItKnows(Lists):
    def made(self, rows):
        return tuple(evolve(row, extra={**row.extra, "as_of": "2026-11-22"}) for row in rows)


class AddsItsCatalogue(Lists):
    def made(self, rows):
        return tuple({row.id: row for row in (*rows, *self.shipped_models())}.values())


class GuessesChat(Lists):
    def made(self, rows):
        return tuple(row if row.capabilities else evolve(row, capabilities=self.capabilities) for row in rows)


class GuessesAWindow(Lists):
    def made(self, rows):
        return tuple(evolve(row, context_window=row.context_window or 4096) for row in rows)


class TrustsRows(Honest):
    def _parse_model_list(self, data):
        return [ModelInfo(row["id"]) for row in data["data"]]


class TakesRefusalForAnEmptyList(Honest):
    def discover_models(self, limits=None):
        try:
            return super().discover_models(limits)
        except ProviderError as error:
            if error.status == 401:
                return ()
            raise


class RepeatsTheRefusal(Honest):
    def _map_error_response(self, status, headers, raw):
        error = super()._map_error_response(status, headers, raw)
        error.args = (raw.decode(),)
        error.message = raw.decode()
        return error


class TakesAnythingForAList(Honest):
    def _parse_model_list(self, data):
        return (
            [] if not isinstance(data, dict) else [ModelInfo(row["id"]) for row in data.get("data", ()) if isinstance(row, dict)]
        )


FAKES: list[tuple[type, str]] = [
    (AsksElsewhere, "test_list_request_has_path_and_key"),
    (SendsTheKeyInTheAddress, "test_list_request_has_path_and_key"),
    (AsksWithoutTheKey, "test_list_request_has_path_and_key"),
    (ReadsTheFirstRow, "test_list_pages_are_all_read"),
    (ReadsEverythingTwice, "test_list_pages_are_all_read"),
    (ReadsTheFirstPage, "test_list_pages_are_all_read"),
    (AsksForEver, "test_list_without_end_is_a_failure"),
    (TakesHalfAListForAll, "test_list_without_end_is_a_failure"),
    (RenewsWhatItKnows, "test_list_keeps_catalogue_rows"),
    (AddsItsCatalogue, "test_list_drops_unlisted_models"),
    (GuessesChat, "test_list_guesses_no_facts_of_new_models"),
    (GuessesAWindow, "test_list_guesses_no_facts_of_new_models"),
    (TrustsRows, "test_list_skips_invalid_rows"),
    (TakesRefusalForAnEmptyList, "test_list_error_has_its_class"),
    (RepeatsTheRefusal, "test_list_error_contains_no_key"),
    (TakesAnythingForAList, "test_list_of_other_shape_is_a_failure"),
]
