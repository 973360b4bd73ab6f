# nu support vector regression of mixtures on a signature matrix by e1071 (libsvm).
# Run from this folder: Rscript deconvolution.R
# Reads deconvolution_signature.csv and deconvolution_mixtures.csv, both linear, genes in rows.
library(e1071)
options(digits = 17)
signature <- as.matrix(read.csv("deconvolution_signature.csv", row.names = 1))
mixtures <- as.matrix(read.csv("deconvolution_mixtures.csv", row.names = 1))
standard <- (signature - mean(signature)) / sd(as.vector(signature))
rows <- list()
for (name in colnames(mixtures)) {
  y <- mixtures[, name]
  y <- (y - mean(y)) / sd(y)
  for (nu in c(0.25, 0.5, 0.75)) {
    model <- svm(standard, y, type = "nu-regression", kernel = "linear", nu = nu, scale = FALSE,
                 cost = 1, tolerance = 0.001)
    w <- drop(t(model$coefs) %*% model$SV)
    w[w < 0] <- 0
    w <- w / sum(w)
    fitted <- drop(standard %*% w)
    rows[[length(rows) + 1]] <- data.frame(
      sample = name, nu = nu, t(w), rmse = sqrt(mean((fitted - y)^2)), correlation = cor(fitted, y))
  }
}
table <- do.call(rbind, rows)
numbers <- vapply(table, is.numeric, TRUE)
table[numbers] <- lapply(table[numbers], signif, 17)
write.csv(table, "deconvolution.csv", row.names = FALSE)
