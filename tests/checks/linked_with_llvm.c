/* Stands for a plugin, and for the library that it should not need. */
__attribute__((visibility("default"))) const void* assay_backend_query(unsigned version) {
  (void)version;
  return 0;
}
