# Reference values of tests/omics/normalise/: Rscript normalise.R, in this folder (edgeR, DESeq2).
suppressPackageStartupMessages({library(edgeR); library(DESeq2)})
options(digits = 17)
set.seed(20261124)
genes <- 301
samples <- 9
level <- exp(runif(genes, log(2), log(2000)))
group <- rep(0:1, length.out = samples)
depth <- exp(rnorm(samples, 0, 0.5))
expected <- outer(level, depth)
expected[1:60, group == 1] <- expected[1:60, group == 1] * 6   # composition differs
counts <- matrix(rnbinom(genes * samples, mu = expected, size = 1 / (0.05 + 1.5 / level)), genes)
counts[301, ] <- 0L
rownames(counts) <- sprintf("G%03d", seq_len(genes))
colnames(counts) <- sprintf("S%d", seq_len(samples))
write.csv(data.frame(sample = colnames(counts), group = group, t(counts)), "normalise_counts.csv",
          row.names = FALSE, quote = FALSE)
write <- function(x) signif(x, 17)

factors <- NULL
for (method in c("TMM", "upperquartile", "RLE"))
  factors[[method]] <- write(calcNormFactors(counts, method = method))
for (column in c(1, 4))  # the reference sample told, not chosen
  factors[[paste0("TMM", column)]] <- write(calcNormFactors(counts, method = "TMM", refColumn = column))
factors[["deseq2"]] <- write(estimateSizeFactorsForMatrix(counts))
factors[["deseq2_even"]] <- write(estimateSizeFactorsForMatrix(counts[-1, ]))
factors[["RLE_even"]] <- write(calcNormFactors(counts[-1, ], method = "RLE"))
write.csv(data.frame(sample = colnames(counts), factors), "normalise_factors.csv",
          row.names = FALSE, quote = FALSE)

long <- function(case, m) data.frame(case = case, gene = rownames(m), write(m))
y <- calcNormFactors(DGEList(counts), method = "TMM")
few <- c(1:25, 295:301)
logs <- rbind(long("tmm prior 2", cpm(y, log = TRUE, prior.count = 2)[few, ]),
              long("tmm prior 0.5", cpm(y, log = TRUE, prior.count = 0.5)[few, ]),
              long("tmm cpm", cpm(y)[few, ]), long("cpm", cpm(counts)[few, ]))

dds <- DESeqDataSetFromMatrix(counts, data.frame(group = factor(group)), ~ 1)
dds <- estimateSizeFactors(dds)
dds <- estimateDispersionsGeneEst(dds, quiet = TRUE)
dds <- estimateDispersionsFit(dds, quiet = TRUE)
trend <- dispersionFunction(dds)
vst <- varianceStabilizingTransformation(dds, blind = FALSE)
logs <- rbind(logs, long("vst", assay(vst)[few, ]))
write.csv(logs, "normalise_logs.csv", row.names = FALSE, quote = FALSE)
write.csv(data.frame(gene = rownames(counts), base_mean = write(mcols(dds)$baseMean),
                     dispersion = write(mcols(dds)$dispGeneEst), trend = write(mcols(dds)$dispFit)),
          "normalise_dispersions.csv", row.names = FALSE, quote = FALSE)
# The same regression through the same dispersions, but with glm's loop run to the end: DESeq2 leaves
# it at glm's default tolerance.
a <- attr(trend, "coefficients")
used <- which(mcols(dds)$dispGeneEst > 1e-6)
disp <- mcols(dds)$dispGeneEst[used]
mean <- mcols(dds)$baseMean[used]
repeat {
  good <- disp / (a[1] + a[2] / mean) > 1e-4 & disp / (a[1] + a[2] / mean) < 15
  fit <- glm(disp[good] ~ I(1 / mean[good]), family = Gamma(link = "identity"), start = a,
             control = glm.control(epsilon = 1e-15, maxit = 500))
  settled <- max(abs(coef(fit) / a - 1)) < 1e-12
  a <- coef(fit)
  if (settled) break
}
deseq2 <- attr(trend, "coefficients")
write.csv(data.frame(fit = c("deseq2", "converged"), asymptotic = write(c(deseq2[[1]], a[[1]])),
                     extra_poisson = write(c(deseq2[[2]], a[[2]]))),
          "normalise_trend.csv", row.names = FALSE, quote = FALSE)
