# Reference values of tests/omics/test_differential_counts.py: Rscript differential_counts.R, in this
# folder (DESeq2).
suppressPackageStartupMessages(library(DESeq2))
options(digits = 17)
set.seed(20261125)
genes <- 200
samples <- 12
level <- exp(runif(genes, log(3), log(3000)))
group <- rep(c("normal", "tumour"), each = 6)
batch <- rep(c("a", "b"), 6)
age <- round(rnorm(samples, 60, 9))
change <- c(rnorm(40, 0, 1.5), rep(0, genes - 40))
expected <- outer(level, exp(rnorm(samples, 0, 0.3))) * 2^(outer(change, as.numeric(group == "tumour")))
counts <- matrix(rnbinom(genes * samples, mu = expected, size = 1 / (0.04 + 1.5 / level)), genes,
                 dimnames = list(sprintf("G%03d", seq_len(genes)), sprintf("S%02d", seq_len(samples))))
counts[200, ] <- 0L
counts[199, 2] <- 40000L                # one outlying count
write.csv(data.frame(sample = colnames(counts), group, batch, age, t(counts)),
          "differential_counts_input.csv", row.names = FALSE, quote = FALSE)
write <- function(x) signif(x, 17)
about <- data.frame(group = factor(group), batch = factor(batch), age = age)
one <- function(case, design) {
  dds <- DESeq(DESeqDataSetFromMatrix(counts, about, design), quiet = TRUE)
  r <- results(dds, contrast = c("group", "tumour", "normal"))
  data.frame(case = case, gene = rownames(r), mean = write(r$baseMean),
             log2_fold_change = write(r$log2FoldChange), standard_error = write(r$lfcSE),
             statistic = write(r$stat), p = write(r$pvalue), fdr = write(r$padj),
             dispersion = write(dispersions(dds)))
}
out <- rbind(one("plain", ~ group), one("adjusted", ~ batch + age + group))
write.csv(out, "differential_counts.csv", row.names = FALSE, quote = FALSE)
