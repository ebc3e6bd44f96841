#include "runtime/roles/decision.hpp"

#include <gtest/gtest.h>

namespace trivet::roles {
namespace {

using protocol::Role;

struct SliceCase {
  Role role;
  std::string_view steered;
  std::optional<Slice> slice;
};

TEST(ChooseSlice, OnlyAResponderRequestMayAskForAnotherSlice) {
  const SliceCase cases[] = {
      {Role::responder, "", Slice::responder},
      {Role::responder, "responder", Slice::responder},
      {Role::responder, "authorizer", Slice::authorizer},
      {Role::responder, "filter", Slice::filter},
      {Role::responder, "AUTHORIZER", std::nullopt},
      {Role::responder, "authorizer ", std::nullopt},
      {Role::responder, "1", std::nullopt},
      {Role::authorizer, "", Slice::authorizer},
      {Role::authorizer, "authorizer", Slice::authorizer},
      {Role::authorizer, "responder", std::nullopt},
      {Role::authorizer, "filter", std::nullopt},
      {Role::authorizer, "x", std::nullopt},
      {Role::filter, "", Slice::filter},
      {Role::filter, "filter", Slice::filter},
      {Role::filter, "responder", std::nullopt},
      {Role::filter, "authorizer", std::nullopt},
      {Role::filter, "x", std::nullopt},
  };
  for (const SliceCase& each : cases) {
    EXPECT_EQ(choose_slice(each.role, each.steered), each.slice)
        << static_cast<int>(each.role) << " steered \"" << each.steered << '"';
  }
}

/// What a route has: one letter each. g: guards that apply; h: shadows that do; l: guards that leave the
/// slice out; s: source; f: filters.
struct TableRow {
  Slice slice;
  std::string_view route;  ///< "-": no route; "m": a route but for its method
  int status;
  int status_after_guards;
  bool configuration_error;
};

TEST(Decide, NothingIsGrantedByEmptiness) {
  const TableRow rows[] = {
      {Slice::responder, "-", 404, 0, false},  {Slice::responder, "m", 405, 0, false},
      {Slice::responder, "", 0, 404, false},   {Slice::responder, "g", 0, 404, false},
      {Slice::responder, "f", 0, 404, false},  {Slice::responder, "gf", 0, 404, false},
      {Slice::responder, "s", 0, 0, false},    {Slice::responder, "gs", 0, 0, false},
      {Slice::responder, "sf", 0, 0, false},   {Slice::responder, "gsf", 0, 0, false},
      {Slice::responder, "ls", 0, 0, false},   {Slice::authorizer, "-", 403, 0, false},
      {Slice::authorizer, "m", 403, 0, false}, {Slice::authorizer, "", 403, 0, true},
      {Slice::authorizer, "s", 403, 0, true},  {Slice::authorizer, "sf", 403, 0, true},
      {Slice::authorizer, "l", 403, 0, true},  {Slice::authorizer, "ls", 403, 0, true},
      {Slice::authorizer, "g", 0, 0, false},   {Slice::authorizer, "gsf", 0, 0, false},
      {Slice::authorizer, "h", 403, 0, true},  {Slice::authorizer, "hsf", 403, 0, true},
      {Slice::responder, "hs", 0, 0, false},   {Slice::filter, "hf", 0, 0, false},
      {Slice::filter, "-", 404, 0, false},     {Slice::filter, "m", 405, 0, false},
      {Slice::filter, "", 500, 0, true},       {Slice::filter, "g", 500, 0, true},
      {Slice::filter, "gs", 500, 0, true},     {Slice::filter, "f", 0, 0, false},
      {Slice::filter, "gf", 0, 0, false},      {Slice::filter, "lf", 0, 0, false},
  };
  for (const TableRow& row : rows) {
    const auto has = [&](char part) { return row.route.find(part) != std::string_view::npos; };
    Situation situation;
    situation.slice = row.slice;
    situation.route_found = !has('-') && !has('m');
    situation.method_fits = !has('m');
    situation.has_guards = has('g') || has('h') || has('l');
    situation.guards_apply = has('g') || has('h');
    situation.guards_decide = !has('h');
    situation.has_source = has('s');
    situation.has_filters = has('f');
    const Decision decision = decide(situation);
    const std::string what =
        std::to_string(static_cast<int>(row.slice)) + " on a route with \"" + std::string(row.route) + '"';
    EXPECT_EQ(decision.status, row.status) << what;
    EXPECT_EQ(decision.status_after_guards, row.status_after_guards) << what;
    EXPECT_EQ(decision.configuration_error, row.configuration_error) << what;
    EXPECT_EQ(decision.status == 0 && decision.status_after_guards == 0, decision.reason.empty()) << what;
  }
}

TEST(StatusInSlice, AnAuthorizerSaysForbiddenWhereOthersTellTheClientWhatIsWrong) {
  for (const int status : {400, 404, 405}) {
    EXPECT_EQ(status_in_slice(status, Slice::authorizer), 403);
    EXPECT_EQ(status_in_slice(status, Slice::responder), status);
    EXPECT_EQ(status_in_slice(status, Slice::filter), status);
  }
  for (const int status : {408, 413, 431, 500, 503, 504})
    EXPECT_EQ(status_in_slice(status, Slice::authorizer), status);
}

}  // namespace
}  // namespace trivet::roles
