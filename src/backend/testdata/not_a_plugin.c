/* A library, and no plugin. */
__attribute__((visibility("default"))) int assay_test_answer(void);
int assay_test_answer(void) { return 42; }
