# Uno's concordance and differences of two concordances, from the R package survival.
# Run in this folder: Rscript concordance_beyond.R
# Reads survival_input.csv and survival_genes.csv, which survival.R made.
suppressMessages(library(survival))

input <- cbind(read.csv("survival_input.csv"), read.csv("survival_genes.csv"))
rows <- list()
add <- function(model, name, value, index = 0) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index, value)
}
save_long <- function(file) {
  table <- do.call(rbind, rows)
  table$value <- ifelse(is.na(table$value), "nan", sprintf("%.17g", table$value))
  write.csv(table, file, row.names = FALSE, quote = FALSE)
  rows <<- list()
}

# Uno: weights n / G(t-)^2, events up to and including ymax. Its variance takes G as known.
last <- max(input$time[input$event == 1])
horizons <- c(3, 6, 9.5, last)
scores <- c("x1", "x2", "x3", paste0("g", 1:12))
for (s in scores) {
  for (k in seq_along(horizons)) {
    found <- concordance(as.formula(paste("Surv(time, event) ~", s)), input, reverse = TRUE,
                         timewt = "n/G2", ymax = horizons[k])
    add(s, "tau", horizons[k], k - 1)
    add(s, "value", found$concordance, k - 1)
    add(s, "variance", found$var, k - 1)
  }
}
save_long("uno.csv")

# Differences: of each pair of scores, as the contrast of the joint covariance. A Cox model held at
# the coefficient 1 has the score for its linear predictor.
as_fit <- function(s) {
  coxph(as.formula(paste("Surv(time, event) ~", s)), input, init = 1,
        control = coxph.control(iter.max = 0))
}
contrast <- c(1, -1)
for (pair in list(c("x1", "x2"), c("x1", "x3"), c("x2", "x3"), c("x1", "g4"), c("g3", "g12"))) {
  a <- as_fit(pair[1])
  b <- as_fit(pair[2])
  joint <- list(
    harrell = concordance(a, b),
    uno = concordance(a, b, timewt = "n/G2"),
    uno6 = concordance(a, b, timewt = "n/G2", ymax = 6)
  )
  for (kind in names(joint)) {
    model <- paste(kind, pair[1], pair[2], sep = "_")
    difference <- sum(contrast * coef(joint[[kind]]))
    se <- sqrt(drop(contrast %*% vcov(joint[[kind]]) %*% contrast))
    add(model, "difference", difference)
    add(model, "se", se)
    add(model, "z", difference / se)
    add(model, "p", 2 * pnorm(-abs(difference / se)))
    add(model, "low", difference - qnorm(0.975) * se)
    add(model, "high", difference + qnorm(0.975) * se)
  }
}
save_long("concordance_difference.csv")
