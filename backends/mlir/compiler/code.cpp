#include "code.hpp"

#include <llvm/ExecutionEngine/Orc/ExecutionUtils.h>
#include <llvm/ExecutionEngine/Orc/LLJIT.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <mlir/Conversion/Passes.h>
#include <mlir/Dialect/Affine/IR/AffineOps.h>
#include <mlir/Dialect/Arith/IR/Arith.h>
#include <mlir/Dialect/ControlFlow/IR/ControlFlowOps.h>
#include <mlir/Dialect/Func/IR/FuncOps.h>
#include <mlir/Dialect/LLVMIR/LLVMDialect.h>
#include <mlir/Dialect/Math/IR/Math.h>
#include <mlir/Dialect/Math/Transforms/Passes.h>
#include <mlir/Dialect/MemRef/IR/MemRef.h>
#include <mlir/Dialect/SCF/IR/SCF.h>
#include <mlir/Dialect/Vector/IR/VectorOps.h>
#include <mlir/IR/BuiltinOps.h>
#include <mlir/IR/MLIRContext.h>
#include <mlir/Parser/Parser.h>
#include <mlir/Pass/PassManager.h>
#include <mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h>
#include <mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h>
#include <mlir/Target/LLVMIR/Export.h>
#include <mlir/Transforms/GreedyPatternRewriteDriver.h>
#include <mlir/Transforms/Passes.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "cache_sizes.hpp"

namespace assay::compiler {
namespace {

constexpr const char* kTriple = "x86_64-unknown-linux-gnu";

/// exp, log … of vectors as polynomials: a call of the C library's function for each lane would take ten times as long.
struct ApproximateMath : mlir::PassWrapper<ApproximateMath, mlir::OperationPass<>> {
  void runOnOperation() override {
    mlir::RewritePatternSet patterns(&getContext());
    mlir::populateMathPolynomialApproximationPatterns(patterns, [](llvm::StringRef name) {
      constexpr std::array<const char*, 6> kNames = {"math.exp",   "math.expm1", "math.log",
                                                     "math.log1p", "math.tanh",  "math.erf"};
      return std::any_of(kNames.begin(), kNames.end(), [&](const char* n) { return name == n; });
    });
    if (mlir::failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
  llvm::StringRef getArgument() const override { return "assay-approximate-math"; }
};

void start_llvm() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
  });
}

std::unique_ptr<llvm::TargetMachine> machine_of(const Target& target) {
  start_llvm();
  std::string error;
  const llvm::Triple triple(kTriple);
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(triple, error);
  if (found == nullptr) throw std::runtime_error("LLVM has no such target: " + error);
  return std::unique_ptr<llvm::TargetMachine>(
      found->createTargetMachine(triple, target.cpu, target.features, llvm::TargetOptions(), llvm::Reloc::PIC_,
                                 llvm::CodeModel::Small, llvm::CodeGenOptLevel::Aggressive));
}

void to_llvm_dialect(mlir::PassManager& passes) {
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  passes.addPass(std::make_unique<ApproximateMath>());
  passes.addPass(mlir::createLowerAffinePass());
  passes.addPass(mlir::createLoopInvariantCodeMotionPass());
  passes.addPass(mlir::createSCFToControlFlowPass());
  mlir::ConvertVectorToLLVMPassOptions vectors;
  vectors.reassociateFPReductions = true;
  passes.addPass(mlir::createConvertVectorToLLVMPass(vectors));
  passes.addPass(mlir::createConvertMathToLLVMPass());
  passes.addPass(mlir::createConvertMathToLibmPass());
  passes.addPass(mlir::createArithToLLVMConversionPass());
  passes.addPass(mlir::createFinalizeMemRefToLLVMConversionPass());
  mlir::ConvertFuncToLLVMPassOptions functions;
  functions.useBarePtrCallConv = true;  // kernels get pointers
  passes.addPass(mlir::createConvertFuncToLLVMPass(functions));
  passes.addPass(mlir::createConvertControlFlowToLLVMPass());
  passes.addPass(mlir::createConvertIndexToLLVMPass());
  passes.addPass(mlir::createReconcileUnrealizedCastsPass());
  passes.addPass(mlir::createCanonicalizerPass());
}

/// What one compilation has: MLIR's context, and the first of its complaints.
class Compilation {
 public:
  explicit Compilation(const Target& target) : machine_(machine_of(target)) {
    context_.disableMultithreading();
    context_.loadDialect<mlir::affine::AffineDialect, mlir::arith::ArithDialect, mlir::cf::ControlFlowDialect,
                         mlir::func::FuncDialect, mlir::LLVM::LLVMDialect, mlir::math::MathDialect,
                         mlir::memref::MemRefDialect, mlir::scf::SCFDialect, mlir::vector::VectorDialect>();
    mlir::registerBuiltinDialectTranslation(context_);
    mlir::registerLLVMDialectTranslation(context_);
    context_.getDiagEngine().registerHandler([this](mlir::Diagnostic& d) {
      if (complaint_.empty()) complaint_ = d.str();
      return mlir::success();
    });
  }

  /// Kernels first … last - 1 of the list.
  std::string object(std::span<const KernelText> kernels, std::size_t first, std::size_t last, const Dump& dump) {
    const std::string file = "kernels" + std::to_string(first);
    std::string text;
    for (std::size_t i = first; i < last; ++i) text += named(kernels[i].text, i);
    if (dump) dump(file + ".mlir", text);
    const auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context_);
    if (!module) fail("MLIR does not take a kernel", text);
    mlir::PassManager passes(&context_);
    to_llvm_dialect(passes);
    if (mlir::failed(passes.run(*module))) fail("MLIR's passes failed", text);
    if (dump) dump(file + ".llvm.mlir", printed(*module));
    llvm::LLVMContext context;
    const auto native = translated(*module, context);
    for (std::size_t i = first; i < last; ++i) add_entry(*native, i);
    optimize(*native);
    if (dump) {
      dump(file + ".ll", printed(*native));
      dump(file + ".s", generated(*llvm::CloneModule(*native), llvm::CodeGenFileType::AssemblyFile));
    }
    return generated(*native, llvm::CodeGenFileType::ObjectFile);
  }

 private:
  [[noreturn]] void fail(const std::string& what, const std::string& text) const {
    throw std::logic_error(what + ": " + complaint_ + "\n" + text.substr(0, kMostText));
  }

  static std::string named(const std::string& text, std::size_t i) {
    constexpr std::string_view kName = "@kernel";
    std::string result = text;
    return result.replace(result.find(kName), kName.size(), "@k" + std::to_string(i));
  }

  static std::string printed(mlir::ModuleOp module) {
    std::string text;
    llvm::raw_string_ostream out(text);
    module.print(out);
    return text;
  }
  static std::string printed(const llvm::Module& module) {
    std::string text;
    llvm::raw_string_ostream out(text);
    module.print(out, nullptr);
    return text;
  }

  /// void w0(ptr buffers, i64 begin, i64 end, i64 part): loads the pointers and calls the kernel, which is inlined.
  static void add_entry(llvm::Module& module, std::size_t i) {
    llvm::Function* kernel = module.getFunction("k" + std::to_string(i));
    if (kernel == nullptr) throw std::logic_error("kernel " + std::to_string(i) + " is gone");
    kernel->setLinkage(llvm::GlobalValue::InternalLinkage);
    llvm::IRBuilder<> b(module.getContext());
    auto* type =
        llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), b.getInt64Ty(), b.getInt64Ty(), b.getInt64Ty()}, false);
    auto* entry = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, "w" + std::to_string(i), module);
    b.SetInsertPoint(llvm::BasicBlock::Create(module.getContext(), "", entry));
    std::vector<llvm::Value*> arguments;
    for (std::size_t k = 0; k + kNumbers < kernel->arg_size(); ++k) {
      arguments.push_back(b.CreateLoad(b.getPtrTy(), b.CreateConstGEP1_64(b.getPtrTy(), entry->getArg(0), k)));
    }
    for (unsigned k = 1; k <= kNumbers; ++k) arguments.push_back(entry->getArg(k));
    b.CreateCall(kernel, arguments);
    b.CreateRetVoid();
  }

  std::unique_ptr<llvm::Module> translated(mlir::ModuleOp from, llvm::LLVMContext& context) {
    auto module = mlir::translateModuleToLLVMIR(from, context);
    if (!module) fail("MLIR's LLVM dialect could not be translated", printed(from));
    module->setTargetTriple(llvm::Triple(kTriple));
    module->setDataLayout(machine_->createDataLayout());
    return module;
  }

  void optimize(llvm::Module& module) {
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager components;
    llvm::ModuleAnalysisManager modules;
    llvm::PassBuilder builder(machine_.get());
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(components);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, components, modules);
    builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
  }

  std::string generated(llvm::Module& module, llvm::CodeGenFileType type) {
    llvm::SmallVector<char, 0> bytes;
    llvm::raw_svector_ostream out(bytes);
    llvm::legacy::PassManager passes;
    if (machine_->addPassesToEmitFile(passes, out, nullptr, type)) throw std::logic_error("LLVM writes no such file");
    passes.run(module);
    return {bytes.begin(), bytes.end()};
  }

  static constexpr unsigned kNumbers = 3;  // begin, end, part
  static constexpr std::size_t kMostText = 4000;
  std::unique_ptr<llvm::TargetMachine> machine_;
  mlir::MLIRContext context_;
  std::string complaint_;
};

template <class T>
T checked(llvm::Expected<T> value) {
  if (!value) throw std::runtime_error("LLVM could not link the kernels: " + llvm::toString(value.takeError()));
  return std::move(*value);
}
void check(llvm::Error error) {
  if (error) throw std::runtime_error("LLVM could not link the kernels: " + llvm::toString(std::move(error)));
}

}  // namespace

Target target_of(const std::string& name) {
  Cpu cpu{llvm::sys::getHostCPUName().str(), {}};
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) cpu.features[feature.first().str()] = feature.second;
  Target target = target_on(cpu, name);
  target.l2_bytes = cache_bytes(2).value_or(target.l2_bytes);
  target.l3_bytes = cache_bytes(3).value_or(target.l2_bytes);
  return target;
}

std::string llvm_version() { return LLVM_VERSION_STRING; }

std::vector<std::string> compile(std::span<const KernelText> kernels, const Target& target, int threads,
                                 const Dump& dump) {
  const std::size_t n = kernels.size(), parts = std::max<std::size_t>(1, std::min<std::size_t>(threads, n));
  std::vector<std::string> objects(parts);
  std::vector<std::exception_ptr> failures(parts);
  const auto part = [&](std::size_t p) {
    try {
      objects[p] = Compilation(target).object(kernels, n * p / parts, n * (p + 1) / parts, dump);
    } catch (...) {
      failures[p] = std::current_exception();
    }
  };
  std::vector<std::thread> others;
  for (std::size_t p = 1; p < parts; ++p) others.emplace_back(part, p);
  part(0);
  for (std::thread& t : others) t.join();
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return objects;
}

struct Code::Linked {
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

Code::Code(std::span<const std::string> objects, std::size_t kernels) : linked_(std::make_unique<Linked>()) {
  start_llvm();
  llvm::orc::JITTargetMachineBuilder builder{llvm::Triple(kTriple)};
  linked_->jit = checked(llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create());
  auto& main = linked_->jit->getMainJITDylib();
  main.addGenerator(checked(
      llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(linked_->jit->getDataLayout().getGlobalPrefix())));
  for (const std::string& object : objects) {
    check(linked_->jit->addObjectFile(llvm::MemoryBuffer::getMemBufferCopy(object, "kernels")));
  }
  for (std::size_t i = 0; i < kernels; ++i) {
    functions_.push_back(checked(linked_->jit->lookup("w" + std::to_string(i))).toPtr<KernelFunction>());
  }
}

Code::~Code() = default;

}  // namespace assay::compiler
