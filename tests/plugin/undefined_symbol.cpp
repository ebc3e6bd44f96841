#include <trivet/plugin.hpp>

/// Nobody defines it: built without -z defs, this shows when the plugin is loaded.
extern "C" int trivet_nobody_has_this();

struct Undefined {
  void handle(trivet::Request&, trivet::Response& out) { out << trivet_nobody_has_this(); }
};

TRIVET_PLUGIN(Undefined, "undefined_symbol", "1.0.0")
