#include "tests/unit/config/broken_files.hpp"

#include "tests/unit/config/folder.hpp"

namespace trivet::config {

TEST_P(BrokenFiles, AreToldWithPlaceAndCure) {
  const BrokenFile& param = GetParam();
  const std::string text = param.kind == section ? whole(param.text) : std::string(param.text);
  const Loader loader;
  const Loaded loaded = loader.load(text);
  EXPECT_FALSE(loaded.config);
  const std::string told = loader.without_folder(render_all(loaded));
  EXPECT_EQ(told.substr(0, told.rfind('\n', told.size() - 2) + 1), param.told);
}

}  // namespace trivet::config
