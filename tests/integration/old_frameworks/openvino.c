/* An OpenVINO of long ago, for tests: it tells its version, and lacks all else. */
struct ov_version {
  const char *build_number, *description;
};

int ov_get_openvino_version(struct ov_version* version) {
  version->build_number = "2022.3.0-9052-old";
  version->description = "OpenVINO Runtime";
  return 0;
}
void ov_version_free(struct ov_version* version) { version->build_number = version->description = 0; }
