#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/cgi/params.hpp"
#include "runtime/cgi/response_head.hpp"

namespace trivet::cgi {

// clang-format off
/// The form that the answer of an authorizer has, by who asks. One table for all of them:
///
///                       deny 301-308,         deny 401,  deny 5xx  Set-Cookie   how it is known
///                       4xx but 401, 403      403                  of an allow
///     fastcgi           as it is              as it is   as it is  stays here   all others (FastCGI 1.0, 6.3)
///     lighttpd          as it is              as it is   as it is  stays here   SERVER_SOFTWARE lighttpd
///     mod_fcgid         as it is              as it is   as it is  stays here   FCGI_APACHE_ROLE
///     mod_authnz_fcgi   as it is              as it is   as it is  stays here   FCGI_ROLE
///     nginx             401 and X-Trivet-*    as it is   as it is  numbered     SERVER_SOFTWARE nginx
///     caddy             as it is              as it is   as it is  goes out     SERVER_SOFTWARE Caddy
///     haproxy           as it is              as it is   as it is  goes out     SERVER_SOFTWARE HAProxy
///
/// TRIVET_DIALECT with one of these names comes before everything else that is known; with any other it means
/// fastcgi. nginx's auth_request takes whatever is not 2xx, 401 or 403 for a failure of the authorizer.
/// mod_fcgid and mod_fastcgi pass on or make variables of whatever stands beside Variable-* lines.
///
/// Thread    [any].
/// Lifetime  Static.
// clang-format on
struct Dialect {
  enum class Cookies : std::uint8_t {
    none,      ///< What is no Variable-* of an allow stays here.
    lines,     ///< As the guards said them.
    numbered,  ///< The first as Set-Cookie, the others as X-Trivet-Set-Cookie-2 and so on: see
               ///< number_cookies().
  };

  std::string_view name;
  bool knows_only_401_and_403 = false;  ///< Of all redirections and 4xx.
  Cookies cookies = Cookies::none;
  /// The body of a denial is shown if it comes in one record with the head, and as HTML, whatever it is: so
  /// it does only where it is that.
  bool shows_pages_in_one_record = false;

  /// The status with which a denial goes out.
  [[nodiscard]] int shown(int status) const noexcept {
    const bool other = status >= 300 && status < 500 && status != 401 && status != 403;
    return knows_only_401_and_403 && other ? 401 : status;
  }
};

/// Which dialect, and by what it is known: the name of a parameter, or empty.
struct ChosenDialect {
  const Dialect* dialect;  ///< Never null.
  std::string_view by;
  bool is_unknown = false;  ///< TRIVET_DIALECT says something that is not in the table.
};

/// For a request that is an authorization: in the role AUTHORIZER, or so steered.
[[nodiscard]] ChosenDialect choose_dialect(const Params& params) noexcept;

/// Gives the head of a denial the form of the dialect. A status that the web server does not know becomes
/// 401; the true one goes as X-Trivet-Status, and what belongs to it, Location and Retry-After, as
/// X-Trivet-Location and X-Trivet-Retry-After, for a client makes nothing of them with a 401. Such names are
/// the host's then: what a guard said under them goes. Several WWW-Authenticate become one, cookies are
/// numbered, the rest stays. It never makes a denial anything else.
void translate_denial(const Dialect& dialect, ResponseHead& head);
/// Whether the body of a denial with this head has to come in one record with it.
[[nodiscard]] bool wants_one_record(const Dialect& dialect, const ResponseHead& head) noexcept;

/// A web server that knows a header's value only as one text cannot pass two Set-Cookie lines on: nginx 1.22
/// gives the first, later ones join them with a comma, which a cookie may hold. So from the second on they
/// get names of their own.
void number_cookies(ResponseHead& head);

}  // namespace trivet::cgi
